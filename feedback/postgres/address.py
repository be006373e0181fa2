"""The address of a database, as libpq takes it."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.errors import InvalidConfig


def place(url: str) -> str:
    """Which database it is, without the password."""
    try:
        if not url.startswith(("postgresql://", "postgres://")):
            raise psycopg.ProgrammingError("no URL")
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its text repeats the address, and with it the password
        raise InvalidConfig(
            "bad_database_url",
            "This is not an address of PostgreSQL.",
            "Write postgresql://USER:PASSWORD@HOST:PORT/NAME, with %40 for an @ in the password.",
        ) from None
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"

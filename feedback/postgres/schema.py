"""The tables: which version the database has, and how it gets the one that this Bowerbird needs.

The migrations are in migrations/versions/, run by Alembic, each in a transaction.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from core.errors import InvalidConfig
from feedback.postgres.database import MIGRATING, Connection, Database, lock_key

HEAD = 1  # the newest file in migrations/versions/
_MIGRATIONS = Path(__file__).parent / "migrations"


def version(connection: Connection) -> int:
    """0 for a database without our tables."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return 0
    return int(row[0]) if row else 0


def make_ready(database: Database, *, migrate: bool = True) -> None:
    """The tables are as this Bowerbird needs them when it returns.

    InvalidConfig when a newer one has changed them, or when they are older and `migrate` is false; Unavailable when the
    database cannot be reached.
    """
    with database.speaking(), database.line() as line:
        found = version(line)
    if found < HEAD and migrate:
        upgrade(database)
    elif found < HEAD:
        raise InvalidConfig(
            "older_database",
            f"The tables of the database {database.place} have version {found}, this Bowerbird needs {HEAD}.",
            "Run `bowerbird db upgrade`, or set database.migrate = true.",
        )
    elif found > HEAD:
        raise InvalidConfig(
            "newer_database",
            f"The tables of the database {database.place} have version {found}, this Bowerbird knows {HEAD}.",
            "Upgrade Bowerbird, or point database.url elsewhere.",
        )


def upgrade(database: Database) -> int:
    """Run the migrations that are missing, and say how many there were. Of several that come at once, one does it."""
    with database.speaking(), database.line() as line:
        line.execute("SELECT pg_advisory_lock(%s, %s)", lock_key(MIGRATING))
        found = version(line)
        if found < HEAD:
            _run(database)
        return max(0, HEAD - found)


def _run(database: Database) -> None:
    # Here, because only this needs them, and they take longer to import than the tables to make.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    def connect() -> Connection:
        made = database.line()
        made.autocommit = False
        return made

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise InvalidConfig(
            "database_not_migrated",
            f"The tables of the database {database.place} could not be made: {error.orig}.",
            "The user in database.url must own the database, or run `bowerbird db upgrade` as one who does.",
        ) from None
    finally:
        engine.dispose()

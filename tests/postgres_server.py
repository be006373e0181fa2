"""A real PostgreSQL server for tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.postgres_server import PostgresServer, installed, running
from feedback.postgres.database import Database

__all__ = ["PostgresServer", "opened", "postgres_server"]


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Running. Without PostgreSQL on this machine the test is skipped, and fails instead under CI=true."""
    binaries = installed()
    if binaries is None:
        message = "PostgreSQL (initdb, postgres) is not installed: apt-get install postgresql-15"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with running(binaries) as server:
        yield server


def opened(server: PostgresServer) -> tuple[Callable[[], Database], Callable[[], None]]:
    """(opens the same empty database as often as asked, closes all of these)."""
    url, found = server.emptied(), list[Database]()

    def open_one() -> Database:
        found.append(Database(url))
        return found[-1]

    def close() -> None:
        for database in found:
            database.close()

    return open_one, close

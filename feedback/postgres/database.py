"""One PostgreSQL database: its pool of connections, how it is asked, and what is said when it is away."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from core.errors import Unavailable
from feedback.postgres.address import place

_LOCKS = 0x626F7765  # the first key of every advisory lock of Bowerbird
PUBLISHING, MIGRATING, LEADING, APPENDING = range(1, 5)
CHANNEL = "bowerbird"  # of notifications: `release` and `items`
_SESSION: dict[str, Any] = {
    "autocommit": True,
    "application_name": f"bowerbird {os.getpid()} {socket.gethostname()}"[:63],
    "connect_timeout": 5,
    # A machine that lost its power is noticed by both sides within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# What is committed is on disk, whatever the server's default; a process that stops within a transaction holds up
# nobody for long; dead peers are noticed.
_SETTINGS = """
SET synchronous_commit = on;
SET default_transaction_isolation = 'read committed';
SET idle_in_transaction_session_timeout = '30s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET client_min_messages = error
"""
Connection = psycopg.Connection[tuple[Any, ...]]


class Database:
    """Safe for threads. Connections are opened when they are needed, at most so many."""

    def __init__(self, url: str, *, connections: int = 8, patience_s: float = 3.0) -> None:
        """`url` as libpq takes it: postgresql://user:password@host:port/name. InvalidConfig when it is none.

        Whoever asks waits at most `patience_s` for a connection.
        """
        self.place = place(url)
        self._url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            kwargs=_SESSION,
            configure=_configure,
            check=_check,
            min_size=0,
            max_size=connections,
            timeout=patience_s,
            reconnect_timeout=patience_s,  # then it starts anew, with the next who asks
            num_workers=1,
            open=True,
        )

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The answer to a question that changes nothing: asked once more when the connection breaks."""
        with self.speaking():
            try:
                return self._rows(sql, parameters)
            except PoolTimeout:
                raise
            except psycopg.OperationalError:
                return self._rows(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done with the connection, or nothing of it; durable at the end. Unavailable when it cannot be."""
        with self.speaking(), self._pool.connection() as connection, connection.transaction():
            yield connection

    def line(self) -> Connection:
        """A connection of one's own, for who listens, leads or writes. Raises psycopg's errors."""
        connection = psycopg.connect(self._url, **_SESSION)
        _configure(connection)
        return connection

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Whatever the database cannot do is Unavailable; the sentence never holds the password."""
        try:
            yield
        except psycopg.Error as error:
            raise self.unavailable(error) from error

    def unavailable(self, error: psycopg.Error) -> Unavailable:
        """The error in words."""
        message = f"The database {self.place} cannot do this now: {reason(error)}."
        return Unavailable("database_unavailable", message, "Check that it runs and can be reached; try again.")

    def close(self) -> None:
        self._pool.close()

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        with self._pool.connection() as connection:
            return connection.execute(sql, parameters, binary=True).fetchall()


def alive(connection: Connection) -> bool:
    """Whether it can still be used. Nothing is sent while the server is silent, as it is unless it has hung up."""
    if connection.closed:
        return False
    silent = select.poll()
    silent.register(connection.fileno(), select.POLLIN)
    if not silent.poll(0):
        return True
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def lock_key(which: int) -> tuple[int, int]:
    """The two keys of an advisory lock."""
    return (_LOCKS, which)


def reason(error: psycopg.Error) -> str:
    """The first line of what the database said."""
    if isinstance(error, PoolTimeout):
        return "nobody answers, or all connections are in use"
    said = (error.diag.message_primary or str(error)).strip()
    return said.splitlines()[0].rstrip(".") if said else type(error).__name__


def _configure(connection: Connection) -> None:
    connection.execute(_SETTINGS)


def _check(connection: Connection) -> None:
    if not alive(connection):
        raise psycopg.OperationalError("the server has hung up")

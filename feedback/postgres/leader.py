"""The learner that leads holds an advisory lock; it is free when the session ends, however it ends."""

from __future__ import annotations

import logging
from contextlib import suppress

import psycopg

from feedback.postgres.database import LEADING, Connection, Database, alive, lock_key, reason

log = logging.getLogger(__name__)


class PostgresLeader:
    """One process at a time, on whichever machine."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line: Connection | None = None
        self._locked = False

    def lead(self) -> bool:
        try:
            if self._line is None or not alive(self._line):
                self.close()
                self._line = self._database.line()
            row = self._line.execute("SELECT pg_try_advisory_lock(%s, %s)", lock_key(LEADING)).fetchone()
        except psycopg.Error as error:
            log.warning("cannot ask who leads: %s", reason(error))
            self.close()
            return False
        self._locked = row is not None and bool(row[0])
        return self._locked

    def leads(self) -> bool:
        """The lock is held for as long as the session lives."""
        try:
            return self._locked and self._line is not None and self._line.execute("SELECT 1").fetchone() is not None
        except psycopg.Error as error:
            log.warning("the session that leads is gone: %s", reason(error))
            return False

    def close(self) -> None:
        line, self._line, self._locked = self._line, None, False
        if line is not None:
            with suppress(psycopg.Error):  # at once; the end of a session is noticed a moment later
                line.execute("SELECT pg_advisory_unlock_all()")
            line.close()

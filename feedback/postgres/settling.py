"""Which sequence numbers are settled: those below which no other impression will appear.

Several processes write at the same time, and commit in another order than they have drawn their sequence numbers. A
reader must not see a number while a smaller one may still come: writers hold a shared lock until they have committed,
and a reader of the newest rows takes it alone for a moment.
"""

from __future__ import annotations

from feedback.postgres.database import APPENDING, Connection, Database, lock_key

_LOCK_WAIT = "5s"
_NEWEST = "SELECT coalesce(max(sequence), 0) FROM impressions"


def hold_readers(line: Connection) -> None:
    """For a writer, before it draws numbers: readers of the newest rows wait until its transaction has ended."""
    line.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", lock_key(APPENDING))


class Settled:
    """The largest settled number, as far as it is known here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest = 0

    def for_reading(self, *, after: int, limit: int) -> int:
        """The number up to which `limit` rows after `after` may be read. Asks the database unless it knows enough."""
        if after + limit > self._newest:
            self._newest = self._ask(after)
        return self._newest

    def _ask(self, after: int) -> int:
        """Waits for the writers of the moment only when there is something after `after`."""
        newest = int(self._database.rows(_NEWEST)[0][0])
        if newest <= after:
            return newest
        with self._database.transaction() as connection, connection.pipeline():
            connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", lock_key(APPENDING))
            settled = connection.execute(_NEWEST)
        (number,) = settled.fetchone() or (0,)
        return int(number)

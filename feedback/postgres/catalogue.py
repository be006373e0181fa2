"""The catalogue in PostgreSQL: every write is one statement, and wakes those who listen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.catalogue import Changes, item_from_json, item_to_json
from core.pace import unhurried
from core.types import Item, ItemId
from feedback.postgres.database import CHANNEL, Database
from feedback.postgres.texts import plain, stored

# The row of the catalogue is locked from the first write of a transaction to its commit, so numbers appear in order.
_PUT = """
WITH moved AS (UPDATE catalogue SET sequence = sequence + %(count)s RETURNING sequence - %(count)s AS start),
entered AS (
    INSERT INTO items (id, sequence, body)
    SELECT sent.id, start + sent.n, sent.body
    FROM moved, unnest(%(ids)s::text[], %(numbers)s::bigint[], %(bodies)s::text[]) AS sent (id, n, body)
    ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, body = excluded.body
)
SELECT start + %(count)s, pg_notify(%(channel)s, 'items') FROM moved
"""
_DELETE = """
WITH moved AS (
    UPDATE catalogue SET sequence = sequence + 1
    WHERE EXISTS (SELECT 1 FROM items WHERE items.id = %(id)s AND body IS NOT NULL) RETURNING sequence
),
gone AS (
    UPDATE items SET body = NULL, sequence = moved.sequence FROM moved
    WHERE items.id = %(id)s AND body IS NOT NULL RETURNING 1
)
SELECT pg_notify(%(channel)s, 'items') FROM gone
"""


class PostgresCatalogue:
    """Items in the database that all processes share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, items: Sequence[Item]) -> int:
        if not items:
            return self.sequence()
        last = {item.id: (n, item_to_json(item)) for n, item in enumerate(items, start=1)}
        ids, entries = [stored(item_id) for item_id in last], last.values()
        parameters: dict[str, Any] = {
            "count": len(items),
            "ids": ids,
            "numbers": [n for n, _ in entries],
            "bodies": [body for _, body in entries],
            "channel": CHANNEL,
        }
        with self._database.transaction() as connection:
            row = connection.execute(_PUT, parameters).fetchone()
        assert row is not None, "the migration has made the row"
        return int(row[0])

    def delete(self, item_id: ItemId) -> bool:
        with self._database.transaction() as connection:
            return connection.execute(_DELETE, {"id": stored(item_id), "channel": CHANNEL}).fetchone() is not None

    def get(self, item_id: ItemId) -> Item | None:
        rows = self._database.rows("SELECT body FROM items WHERE id = %s AND body IS NOT NULL", (stored(item_id),))
        return item_from_json(item_id, rows[0][0]) if rows else None

    def changes(self, after: int, limit: int = 100_000) -> Changes:
        rows = self._database.rows(
            "SELECT id, sequence, body FROM items WHERE sequence > %s ORDER BY sequence LIMIT %s", (after, limit)
        )
        return Changes(
            sequence=rows[-1][1] if rows else after,
            upserts=[item_from_json(ItemId(plain(id_)), body) for id_, _, body in unhurried(rows) if body is not None],
            deletes=[ItemId(plain(id_)) for id_, _, body in rows if body is None],
        )

    @property
    def name(self) -> str:
        return str(self._database.rows("SELECT name FROM catalogue")[0][0])

    def sequence(self) -> int:
        return int(self._database.rows("SELECT sequence FROM catalogue")[0][0])

    def __len__(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM items WHERE body IS NOT NULL")[0][0])

    def close(self) -> None:
        """The database is closed by who has opened it."""

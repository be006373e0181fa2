"""The catalogue in an SQLite file."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.catalogue import Changes, item_from_json, item_to_json
from core.errors import Unavailable
from core.pace import unhurried
from core.types import Item, ItemId

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, body TEXT  -- NULL: deleted
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS items_sequence ON items (sequence);
CREATE TABLE IF NOT EXISTS catalogue (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL);
"""


class SqliteCatalogue:
    """Items in SQLite. Safe for threads and for several processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._db, self._read = _opened(path), _opened(path)  # who reads does not wait for what is being put on disk
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO catalogue VALUES (1, ?)", (uuid.uuid4().hex,))

    def put(self, items: Sequence[Item]) -> int:
        """Insert or replace all of them, or none. Durable when it returns; the new sequence number."""
        bodies = [(item.id, item_to_json(item)) for item in items]
        with self._writing():
            sequence = self._sequence(self._db)
            rows = [(item_id, sequence + n, body) for n, (item_id, body) in enumerate(bodies, start=1)]
            self._db.executemany(
                "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
                "SET sequence = excluded.sequence, body = excluded.body",
                rows,
            )
            return sequence + len(rows)

    def delete(self, item_id: ItemId) -> bool:
        """Whether the item was there."""
        with self._writing():
            cursor = self._db.execute(
                "UPDATE items SET body = NULL, sequence = ? WHERE id = ? AND body IS NOT NULL",
                (self._sequence(self._db) + 1, item_id),
            )
            return cursor.rowcount == 1

    def get(self, item_id: ItemId) -> Item | None:
        with self._looking:
            row = self._read.execute("SELECT body FROM items WHERE id = ?", (item_id,)).fetchone()
        return item_from_json(item_id, row[0]) if row and row[0] else None

    def changes(self, after: int, limit: int = 100_000) -> Changes:
        """The next changes with a sequence above `after`, in order; at most `limit` of them."""
        with self._looking:
            rows = self._read.execute(
                "SELECT id, sequence, body FROM items WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, limit)
            ).fetchall()
        return Changes(
            sequence=rows[-1][1] if rows else after,
            upserts=[item_from_json(ItemId(id_), body) for id_, _, body in unhurried(rows) if body],
            deletes=[ItemId(id_) for id_, _, body in rows if not body],
        )

    @property
    def name(self) -> str:
        """Tells this catalogue from any other, for ever: a sequence number means nothing without it."""
        with self._looking:
            return str(self._read.execute("SELECT name FROM catalogue").fetchone()[0])

    def sequence(self) -> int:
        """The number of the latest change."""
        with self._looking:
            return self._sequence(self._read)

    def __len__(self) -> int:
        with self._looking:
            return int(self._read.execute("SELECT count(*) FROM items WHERE body IS NOT NULL").fetchone()[0])

    def close(self) -> None:
        with self._lock, self._looking:
            self._read.close()
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, on disk at the end; nothing of it when anything fails."""
        try:
            with self._lock, self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            message = f"The catalogue could not be written: {error}."
            raise Unavailable("items_not_stored", message, "Check the disk; try again.") from None

    @staticmethod
    def _sequence(db: sqlite3.Connection) -> int:
        return int(db.execute("SELECT coalesce(max(sequence), 0) FROM items").fetchone()[0])


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)

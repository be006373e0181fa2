"""The event log in SQLite: append-only, durable before acknowledging, one fsync for all who wait at the same time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import orjson

from core.errors import BowerbirdError, Conflict, InvalidConfig, Unavailable
from core.protocols import Logged, Outcome
from core.types import Feedback, Impression, QueryId, Shadow
from feedback.encoding import (
    decode_feedback,
    decode_impression,
    decode_shadow,
    encode_feedback,
    encode_impression,
    encode_shadow,
    schema,
)

T = TypeVar("T")
# Raised when an older Bowerbird would misread the file. A table more harms none: it is made where it is missing.
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS impressions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, query_id TEXT NOT NULL UNIQUE, time REAL NOT NULL, client_id TEXT,
    body BLOB NOT NULL, shown BLOB NOT NULL, context_schema TEXT NOT NULL, context BLOB NOT NULL,
    feature_schema TEXT NOT NULL, features BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS feedback (
    event_id TEXT PRIMARY KEY, query_id TEXT NOT NULL, received REAL NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS feedback_query ON feedback (query_id);
CREATE TABLE IF NOT EXISTS shadows (query_id TEXT PRIMARY KEY, time REAL NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS schemas (id TEXT PRIMARY KEY, names BLOB NOT NULL) WITHOUT ROWID;
"""
_MOST_TOGETHER = 256
_PORTION = 500  # ids in one query


class SqliteEventStore:
    """One writer thread commits everything that waits in one transaction; readers have a connection of their own.

    Several processes may open the same file. WAL with synchronous=FULL: a commit survives a power cut.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write = _connect(path)
        self._read = _connect(path)
        self._reading = threading.Lock()
        self._names: dict[str, tuple[str, ...]] = {}
        self._queue: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._serve, name="event-writer", daemon=True)
        self._writer.start()

    def append_impression(self, impression: Impression) -> None:
        """Conflict when the query_id is in the log already."""
        self._durably(partial(self._insert_impression, impression))

    def append_feedback(self, events: Sequence[Feedback]) -> list[Outcome]:
        return self._durably(partial(self._insert_feedback, events)) if events else []

    def append_shadow(self, shadow: Shadow) -> None:
        self._durably(partial(self._insert_shadow, shadow))

    def impressions(self, *, after: int, limit: int) -> list[Logged]:
        rows = self._select(
            "SELECT sequence, query_id, time, body, context_schema, context, feature_schema, features "
            "FROM impressions WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, limit),
        )
        return [
            Logged(
                sequence,
                decode_impression(
                    query_id, time, body, (self._schema(contexts), context), (self._schema(columns), features)
                ),
            )
            for sequence, query_id, time, body, contexts, context, columns, features in rows
        ]

    def feedback(self, query_ids: Collection[QueryId]) -> Mapping[QueryId, tuple[Feedback, ...]]:
        found: dict[QueryId, list[Feedback]] = {}
        for row in self._of_queries("SELECT event_id, received, body FROM feedback", query_ids):
            event = decode_feedback(*row)
            found.setdefault(event.query_id, []).append(event)
        return {
            query_id: tuple(sorted(events, key=lambda event: (event.time, event.event_id)))
            for query_id, events in found.items()
        }

    def shadows(self, query_ids: Collection[QueryId]) -> Mapping[QueryId, Shadow]:
        rows = self._of_queries("SELECT query_id, time, body FROM shadows", query_ids)
        return {shadow.query_id: shadow for shadow in (decode_shadow(*row) for row in rows)}

    def counts(self) -> Mapping[str, int]:
        impressions, clients = self._select("SELECT count(*), count(DISTINCT client_id) FROM impressions", ())[0]
        feedback = self._select("SELECT count(*) FROM feedback", ())[0][0]
        return {"impressions": impressions, "feedback": feedback, "clients": clients}

    def close(self) -> None:
        """Commit what waits, then stop."""
        if self._writer.is_alive():
            self._queue.put(None)
            self._writer.join()
            self._write.close()
            self._read.close()

    def _durably(self, job: Callable[[], T]) -> T:
        """Run the job in the writer's next transaction; returns when that is on disk."""
        if not self._writer.is_alive():
            raise Unavailable("store_closed", "The event log is closed.", "Start the service again.")
        future: Future[T] = Future()
        self._queue.put((job, future))
        return future.result()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stop = [first], False
            while len(batch) < _MOST_TOGETHER:
                try:
                    entry = self._queue.get_nowait()
                except Empty:
                    break
                if stop := entry is None:
                    break
                batch.append(entry)
            self._commit(batch)
            if stop:
                return

    def _commit(self, batch: list[tuple[Callable[[], Any], Future[Any]]]) -> None:
        """All jobs in one transaction. A job that is refused changes nothing and spoils nothing for the others."""
        results: list[tuple[Future[Any], Any]] = []
        try:
            self._write.execute("BEGIN IMMEDIATE")
            for job, future in batch:
                try:
                    results.append((future, job()))
                except BowerbirdError as error:
                    results.append((future, error))
            self._write.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  # whatever it was, nobody may be told that the events are safe
            if self._write.in_transaction:
                self._write.execute("ROLLBACK")
            for _, future in batch:
                future.set_exception(
                    Unavailable(
                        "events_not_stored",
                        f"The event log could not be written: {error}.",
                        "Check the disk; try again.",
                    )
                )
            return
        for future, result in results:
            if isinstance(result, BowerbirdError):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _insert_impression(self, impression: Impression) -> None:
        query = impression.query
        body, context, features = encode_impression(impression)
        if self._write.execute("SELECT 1 FROM impressions WHERE query_id = ?", (query.id,)).fetchone():
            message = f"A search with query_id {query.id!r} is in the log already."
            raise Conflict("query_id_reused", message, "Give every search an id of its own.")
        schemas = [schema(impression.context.names), schema(impression.features.names)]
        for entry in schemas:
            if entry[0] not in self._names:
                self._write.execute("INSERT OR IGNORE INTO schemas VALUES (?, ?)", entry)
        self._write.execute(
            "INSERT INTO impressions (query_id, time, client_id, body, shown, context_schema, context, feature_schema,"
            " features) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                query.id, query.time, query.client_id, body, orjson.dumps(impression.shown),
                schemas[0][0], context, schemas[1][0], features,
            ),
        )  # fmt: skip

    def _insert_feedback(self, events: Sequence[Feedback]) -> list[Outcome]:
        return [self._insert_event(event) for event in events]

    def _insert_event(self, event: Feedback) -> Outcome:
        body = encode_feedback(event)
        known = self._write.execute("SELECT body FROM feedback WHERE event_id = ?", (event.event_id,)).fetchone()
        if known:
            return Outcome.DUPLICATE if known[0] == body else Outcome.CONFLICT
        row = self._write.execute("SELECT shown FROM impressions WHERE query_id = ?", (event.query_id,)).fetchone()
        if row is None:
            return Outcome.UNKNOWN_QUERY
        if event.item_id not in orjson.loads(row[0]):
            return Outcome.NOT_SHOWN
        entry = (event.event_id, event.query_id, event.received, body)
        self._write.execute("INSERT INTO feedback VALUES (?, ?, ?, ?)", entry)
        return Outcome.STORED

    def _insert_shadow(self, shadow: Shadow) -> None:
        entry = (shadow.query_id, shadow.time, encode_shadow(shadow))
        self._write.execute("INSERT OR IGNORE INTO shadows VALUES (?, ?, ?)", entry)

    def _of_queries(self, sql: str, query_ids: Collection[QueryId]) -> Iterator[Any]:
        """The rows of these queries, in portions, because SQLite takes only so many parameters."""
        ids = list(query_ids)
        for start in range(0, len(ids), _PORTION):
            portion = ids[start : start + _PORTION]
            yield from self._select(f"{sql} WHERE query_id IN ({','.join('?' * len(portion))})", portion)

    def _select(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        with self._reading:
            return self._read.execute(sql, parameters).fetchall()

    def _schema(self, schema_id: str) -> tuple[str, ...]:
        if schema_id not in self._names:
            names = self._select("SELECT names FROM schemas WHERE id = ?", (schema_id,))[0][0]
            self._names[schema_id] = tuple(orjson.loads(names))
        return self._names[schema_id]


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        db.close()
        raise InvalidConfig(
            "newer_event_log",
            f"{path} was written by a newer Bowerbird (format {version}, this one knows {_VERSION}).",
            "Upgrade Bowerbird, or point service.data_dir elsewhere.",
        )
    db.executescript(_SCHEMA)
    db.execute(f"PRAGMA user_version = {_VERSION}")
    return db

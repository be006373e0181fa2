"""The event log in SQLite: append-only, durable before acknowledging, one fsync for all who wait at the same time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import orjson

from core.episodes import Feedback, Impression, Shadow
from core.errors import BowerbirdError
from core.protocols import Logged, Outcome
from core.types import QueryId
from feedback.encoding import (
    decode_feedback,
    decode_impression,
    decode_shadow,
    encode_feedback,
    encode_impression,
    encode_shadow,
    schema,
)
from feedback.event_log import Known, by_query, reused
from feedback.group_commit import GroupCommit
from feedback.sqlite_file import connect

# Raised when an older Bowerbird would misread the file. A table more harms none: it is made where it is missing.
_VERSION = 2  # 2: rows of candidates from below the page follow those of the page
_SCHEMA = """
CREATE TABLE IF NOT EXISTS impressions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, query_id TEXT NOT NULL UNIQUE, time REAL NOT NULL, client_id TEXT,
    body BLOB NOT NULL, shown BLOB NOT NULL, context_schema TEXT NOT NULL, context BLOB NOT NULL,
    feature_schema TEXT NOT NULL, features BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS impressions_time ON impressions (time);
CREATE TABLE IF NOT EXISTS feedback (
    event_id TEXT PRIMARY KEY, query_id TEXT NOT NULL, received REAL NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS feedback_query ON feedback (query_id);
CREATE TABLE IF NOT EXISTS shadows (query_id TEXT PRIMARY KEY, time REAL NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS schemas (id TEXT PRIMARY KEY, names BLOB NOT NULL) WITHOUT ROWID;
"""
_PORTION = 500  # rows in one statement
T = TypeVar("T")
# Compared as JSON text, because json_extract ends a text at U+0000.
_EVENTS_OF_USER = """
WITH named AS (SELECT event_id, CAST(body AS TEXT) AS body FROM feedback)
SELECT event_id FROM named
WHERE coalesce(nullif(body -> '$.user_id', 'null'), nullif(body -> '$.client_id', 'null')) = ?1
"""
_OF_USER = f"""
WITH texts AS (SELECT query_id, CAST(body AS TEXT) -> '$.query' AS body FROM impressions),
named AS (
    SELECT query_id, coalesce(nullif(body -> '$.user_id', 'null'), nullif(body -> '$.client_id', 'null')) AS who
    FROM texts
)
SELECT query_id FROM named
WHERE who = ?1 OR who IS NULL AND query_id IN (
    SELECT query_id FROM feedback WHERE event_id IN ({_EVENTS_OF_USER})
)
"""
_OLDEST = "SELECT query_id FROM impressions WHERE time < ? ORDER BY time LIMIT ?"


class SqliteEventStore:
    """One writer thread commits everything that waits in one transaction; readers have a connection of their own.

    Several processes may open the same file. WAL with synchronous=FULL: a commit survives a power cut.
    """

    def __init__(self, path: Path) -> None:
        self._write = _connect(path)
        self._read = _connect(path)
        self._reading = threading.Lock()
        self._names: dict[str, tuple[str, ...]] = {}
        self._log = GroupCommit(self._commit)

    def append_impression(self, impression: Impression) -> None:
        """Conflict when the query_id is in the log already."""
        self._log.durably(partial(self._insert_impression, impression, encode_impression(impression)))

    def append_feedback(self, events: Sequence[Feedback]) -> list[Outcome]:
        if not events:
            return []
        bodies = [encode_feedback(event) for event in events]  # here, so that the one writer has less to do
        outcomes: list[Outcome] = self._log.durably(partial(self._insert_feedback, events, bodies))
        return outcomes

    def append_shadow(self, shadow: Shadow) -> None:
        self._log.durably(partial(self._insert_shadow, shadow))

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
        rows = self._of_queries("SELECT event_id, received, body FROM feedback", query_ids)
        return by_query(decode_feedback(*row) for row in rows)

    def shadows(self, query_ids: Collection[QueryId]) -> Mapping[QueryId, Shadow]:
        rows = self._of_queries("SELECT query_id, time, body FROM shadows", query_ids)
        return {shadow.query_id: shadow for shadow in (decode_shadow(*row) for row in rows)}

    def counts(self) -> Mapping[str, int]:
        impressions, clients = self._select("SELECT count(*), count(DISTINCT client_id) FROM impressions", ())[0]
        feedback = self._select("SELECT count(*) FROM feedback", ())[0][0]
        return {"impressions": impressions, "feedback": feedback, "clients": clients}

    def erase(self, user_id: str) -> int:
        removed, who = 0, orjson.dumps(user_id).decode()
        while True:  # what is logged while others are removed is found by the next look
            queries = [row[0] for row in self._select(_OF_USER, (who,))]
            events = [row[0] for row in self._select(_EVENTS_OF_USER, (who,))]
            if not queries and not events:
                self._select("PRAGMA wal_checkpoint(TRUNCATE)", ())  # else the rows stay in the write-ahead log
                return removed
            removed += self._remove("query_id", queries) + self._remove("event_id", events)

    def forget_before(self, time: float) -> int:
        removed = 0
        while queries := [row[0] for row in self._select(_OLDEST, (time, _PORTION))]:
            removed += self._remove("query_id", queries)
        while removed and self._log.durably(self._give_back):  # by and by, so that others can append meanwhile
            pass
        return removed

    def close(self) -> None:
        """Commit what waits, then stop."""
        if self._log.close():
            self._write.close()
            self._read.close()

    def _commit(self, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        """All jobs in one transaction. A job that is refused changes nothing and spoils nothing for the others."""
        results: list[Any] = []
        try:
            self._write.execute("BEGIN IMMEDIATE")
            for job in jobs:
                try:
                    results.append(job())
                except BowerbirdError as error:
                    results.append(error)
            self._write.execute("COMMIT")
        finally:
            if self._write.in_transaction:
                self._write.execute("ROLLBACK")
        return results

    def _give_back(self) -> bool:
        """Shorten the file by some of its free pages; False when none is left. Older files keep theirs for new rows."""
        free = self._write.execute("PRAGMA freelist_count").fetchone()[0]
        if free == 0 or self._write.execute("PRAGMA auto_vacuum").fetchone()[0] == 0:
            return False
        self._write.execute(f"PRAGMA incremental_vacuum({_PORTION})").fetchall()
        return bool(self._write.execute("PRAGMA freelist_count").fetchone()[0] < free)

    def _insert_impression(self, impression: Impression, encoded: tuple[bytes, bytes, bytes]) -> None:
        query = impression.query
        body, context, features = encoded
        schemas = [schema(impression.context.names), schema(impression.features.names)]
        for entry in schemas:
            if entry[0] not in self._names:
                self._write.execute("INSERT OR IGNORE INTO schemas VALUES (?, ?)", entry)
        entered = self._write.execute(
            "INSERT INTO impressions (query_id, time, client_id, body, shown, context_schema, context,"
            " feature_schema, features) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (query_id) DO NOTHING",
            (
                query.id, query.time, query.client_id, body, orjson.dumps(impression.shown),
                schemas[0][0], context, schemas[1][0], features,
            ),
        )  # fmt: skip
        if not entered.rowcount:
            raise reused(query.id)

    def _insert_feedback(self, events: Sequence[Feedback], bodies: Sequence[bytes]) -> list[Outcome]:
        """Few statements for all: with each, the interpreter's lock is given up to those who search."""
        there = dict(self._there("SELECT event_id, body FROM feedback WHERE event_id", {e.event_id for e in events}))
        shown = self._there("SELECT query_id, shown FROM impressions WHERE query_id", {e.query_id for e in events})
        known = Known(there, {query_id: frozenset(orjson.loads(items)) for query_id, items in shown})
        outcomes = [
            known.outcome(event.event_id, event.query_id, event.item_id, body)
            for event, body in zip(events, bodies, strict=True)
        ]
        rows = [
            (event.event_id, event.query_id, event.received, body)
            for event, body, outcome in zip(events, bodies, outcomes, strict=True)
            if outcome is Outcome.STORED
        ]
        for portion in _portions(rows):
            places = ",".join(["(?, ?, ?, ?)"] * len(portion))
            self._write.execute(f"INSERT INTO feedback VALUES {places}", [*chain.from_iterable(portion)])
        return outcomes

    def _there(self, sql: str, ids: Collection[str]) -> Iterator[Any]:
        """The rows of these, as the transaction sees them."""
        for portion in _portions([*ids]):
            yield from self._write.execute(f"{sql} IN ({_places(portion)})", portion)

    def _insert_shadow(self, shadow: Shadow) -> None:
        entry = (shadow.query_id, shadow.time, encode_shadow(shadow))
        self._write.execute("INSERT OR IGNORE INTO shadows VALUES (?, ?, ?)", entry)

    def _remove(self, key: str, ids: Sequence[str]) -> int:
        """The number of rows. In portions, so that those who append wait for a moment only."""
        tables = ("impressions", "feedback", "shadows") if key == "query_id" else ("feedback",)
        return sum(self._log.durably(partial(self._delete, tables, key, portion)) for portion in _portions(ids))

    def _delete(self, tables: Sequence[str], key: str, ids: Sequence[str]) -> int:
        named = f"{key} IN ({_places(ids)})"
        return sum(self._write.execute(f"DELETE FROM {table} WHERE {named}", ids).rowcount for table in tables)

    def _of_queries(self, sql: str, query_ids: Collection[QueryId]) -> Iterator[Any]:
        """The rows of these queries."""
        for portion in _portions(list(query_ids)):
            yield from self._select(f"{sql} WHERE query_id IN ({_places(portion)})", portion)

    def _select(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        with self._reading:
            return self._read.execute(sql, parameters).fetchall()

    def _schema(self, schema_id: str) -> tuple[str, ...]:
        if schema_id not in self._names:
            names = self._select("SELECT names FROM schemas WHERE id = ?", (schema_id,))[0][0]
            self._names[schema_id] = tuple(orjson.loads(names))
        return self._names[schema_id]


def _portions(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """SQLite takes only so many parameters at a time."""
    return (things[start : start + _PORTION] for start in range(0, len(things), _PORTION))


def _places(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _connect(path: Path) -> sqlite3.Connection:
    return connect(path, _SCHEMA, version=_VERSION, code="newer_event_log")

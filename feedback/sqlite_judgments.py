"""Pairs and judgments in an SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import orjson

from core.errors import Unavailable
from feedback.judgments import Judgment, Pair, check, judgment_from, pair_from, reused
from feedback.sqlite_file import connect

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pairs (
    pair_id TEXT PRIMARY KEY, body BLOB NOT NULL, served INTEGER NOT NULL DEFAULT 0, current INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS judgments (
    judgment_id TEXT PRIMARY KEY, pair_id TEXT NOT NULL, received REAL NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS judgments_pair ON judgments (pair_id);
"""


class SqliteJudgmentStore:
    """Every write is on disk when it returns (WAL, synchronous=FULL). Several threads and processes may open a file."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = connect(path, _SCHEMA, version=_VERSION, code="newer_judgments")

    def replace_pairs(self, pairs: Sequence[Pair]) -> None:
        with self._writing():
            self._db.execute("UPDATE pairs SET current = 0")
            self._db.executemany(
                "INSERT INTO pairs (pair_id, body, current) VALUES (?, ?, 1) "
                "ON CONFLICT (pair_id) DO UPDATE SET current = 1",
                [(pair.pair_id, orjson.dumps(asdict(pair))) for pair in pairs],
            )
            self._db.execute("DELETE FROM pairs WHERE current = 0 AND served = 0")

    def offered(self) -> Iterator[Pair]:
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM pairs LEFT JOIN (SELECT pair_id, count(*) AS judged FROM judgments GROUP BY pair_id) "
                "USING (pair_id) WHERE current ORDER BY coalesce(judged, 0), served, pair_id"
            ).fetchall()
        return (pair_from(body) for (body,) in rows)

    def serve(self, pairs: Sequence[Pair]) -> None:
        if pairs:
            with self._writing():
                self._db.executemany(
                    "UPDATE pairs SET served = served + 1 WHERE pair_id = ?", [(pair.pair_id,) for pair in pairs]
                )

    def judge(self, judgment: Judgment, *, received: float) -> bool:
        body = orjson.dumps(asdict(judgment))
        with self._writing():
            row = self._db.execute(
                "SELECT body FROM pairs WHERE pair_id = ? AND served > 0", (judgment.pair_id,)
            ).fetchone()
            check(judgment, pair_from(row[0]) if row else None)
            known = self._db.execute(
                "SELECT body FROM judgments WHERE judgment_id = ?", (judgment.judgment_id,)
            ).fetchone()
            if known and known[0] != body:
                raise reused(judgment.judgment_id)
            if not known:
                entry = (judgment.judgment_id, judgment.pair_id, received, body)
                self._db.execute("INSERT INTO judgments VALUES (?, ?, ?, ?)", entry)
            return not known

    def judged(self) -> list[tuple[Pair, Judgment]]:
        with self._lock:
            rows = self._db.execute(
                "SELECT pairs.body, judgments.body FROM judgments JOIN pairs USING (pair_id) "
                "ORDER BY received, judgment_id"
            ).fetchall()
        return [(pair_from(pair), judgment_from(body)) for pair, body in rows]

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, on disk at the end; nothing of it when anything fails."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                message = f"The judgments could not be written: {error}."
                raise Unavailable("judgments_not_stored", message, "Check the disk; try again.") from None
            finally:
                if _open(self._db):
                    self._db.execute("ROLLBACK")


def _open(db: sqlite3.Connection) -> bool:
    """Whether a transaction is under way. False also for a closed connection."""
    try:
        return db.in_transaction
    except sqlite3.ProgrammingError:
        return False

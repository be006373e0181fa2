"""What models made of texts, kept on disk by a hash of the text and of the model's version."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path


def content_key(version: str, text: str) -> bytes:
    """32 bytes that no other text, and no other version of the model, has."""
    return hashlib.sha256(f"{version}\n{text}".encode()).digest()


class EncodedStore:
    """Bytes by key in SQLite. Safe for threads and for several processes; what a crash loses is encoded again."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        # Called after what was kept first; another name would cost every catalogue its vectors.
        self._db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def find(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """What is kept for each key."""
        found = []
        for key in keys:
            with self._lock:
                row = self._db.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
            found.append(row[0] if row else None)
        return found

    def add(self, encoded: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep all (key, bytes) of them, or none; what is kept already stays."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", encoded)

    def close(self) -> None:
        with self._lock:
            self._db.close()

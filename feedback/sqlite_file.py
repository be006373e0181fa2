"""Opens an SQLite file so that a commit survives a power cut, and refuses one that a newer Bowerbird has written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from core.errors import InvalidConfig


def connect(path: Path, schema: str, *, version: int, code: str) -> sqlite3.Connection:
    """A connection for any thread, without implicit transactions; tables of `schema` that are missing are made.

    InvalidConfig with this `code` when the file's format is above `version`. What is deleted is overwritten with zeros.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
    db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file: pages that come free can be given back
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found > version:
        db.close()
        message = f"{path} was written by a newer Bowerbird (format {found}, this one knows {version})."
        raise InvalidConfig(code, message, "Upgrade Bowerbird, or point service.data_dir elsewhere.")
    db.executescript(schema)
    db.execute(f"PRAGMA user_version = {version}")
    return db

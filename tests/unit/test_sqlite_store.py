"""What is peculiar to the event log in SQLite: files of before go on working."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from builders import impression, shadow

from feedback.sqlite_store import SqliteEventStore


def test_a_file_made_before_there_were_shadows_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with closing(SqliteEventStore(path)) as store:
        store.append_impression(impression())
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE shadows")
        db.commit()
    with closing(SqliteEventStore(path)) as store:
        assert store.counts()["impressions"] == 1
        store.append_shadow(shadow())
        assert store.shadows([shadow().query_id]) == {"q1": shadow()}

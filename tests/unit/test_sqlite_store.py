"""What is peculiar to SQLite: files of before go on working, and a disk that takes no more is told."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from builders import click, impression, shadow
from words import item

from core.errors import Unavailable
from core.protocols import Outcome
from feedback.sqlite_catalogue import SqliteCatalogue
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


def test_what_is_erased_is_in_no_file_any_more(tmp_path: Path) -> None:
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        for n in range(50):
            store.append_impression(impression(f"q{n}", text="my secret illness", client_id="ann"))
        assert store.erase("ann") == 50
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "events.sqlite" in files
    assert [name for name, content in files.items() if b"secret illness" in content] == []


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """As on a full disk, for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_nothing_is_acknowledged_and_afterwards_all_goes_on(tmp_path: Path) -> None:
    long = "x" * 300_000
    with (
        closing(SqliteEventStore(tmp_path / "events.sqlite")) as store,
        closing(SqliteCatalogue(tmp_path / "catalogue.sqlite")) as catalogue,
    ):
        store.append_impression(impression("q1"))
        with no_file_grows_beyond(200_000):
            with pytest.raises(Unavailable, match="The event log could not be written"):
                store.append_impression(impression("q2", text=long))
            with pytest.raises(Unavailable, match="The catalogue could not be written"):
                catalogue.put([item("a", long)])
            assert len(store.impressions(after=0, limit=9)) == 1
        assert store.append_feedback([click("q2"), click("q1")]) == [Outcome.UNKNOWN_QUERY, Outcome.STORED]
        assert (catalogue.put([item("a", "lamp")]), len(catalogue)) == (1, 1)

"""Old searches are forgotten, the file gets shorter, and others append meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

from builders import click, impression

from app.operating.retention import Retention
from core.types import QueryId
from feedback.sqlite_store import SqliteEventStore

DAY = 86_400.0
NOW = 1_000 * DAY


def test_what_is_older_goes_and_the_file_gets_shorter(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    store = SqliteEventStore(path)
    for n in range(400):
        age = 40 if n < 390 else 5
        store.append_impression(impression(f"q{n}", time=NOW - age * DAY, text="lamp " * 200))
        store.append_feedback([click(f"q{n}", time=NOW - age * DAY + 1)])
    store.close()
    before = path.stat().st_size
    store = SqliteEventStore(path)
    assert Retention(store, 30.0).step(NOW) == 780
    assert store.counts()["impressions"] == 10
    assert set(store.feedback([QueryId("q1"), QueryId("q399")])) == {"q399"}
    store.close()
    assert path.stat().st_size < before / 4


def test_zero_keeps_all_and_it_looks_once_an_hour(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    store.append_impression(impression("old", time=0.0))
    assert Retention(store, 0.0).step(NOW) == 0
    retention = Retention(store, 30.0)
    assert retention.step(NOW) == 1
    store.append_impression(impression("late", time=0.0))
    assert retention.step(NOW + 3_599) == 0
    assert retention.step(NOW + 3_600) == 1
    store.close()


def test_others_append_meanwhile(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    for n in range(300):
        store.append_impression(impression(f"old{n}", time=0.0))
    forgetting = threading.Thread(target=Retention(store, 30.0).step, args=(NOW,))
    forgetting.start()
    for n in range(50):
        store.append_impression(impression(f"new{n}", time=NOW))
    forgetting.join()
    assert store.counts()["impressions"] == 50
    store.close()

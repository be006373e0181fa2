"""Work beside others leaves them room."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from threading import Event, Thread
from time import perf_counter

import pytest

from core.pace import unhurried


@pytest.fixture
def rare_switches() -> Iterator[None]:
    """Nobody has the interpreter's lock taken away; it has to be given."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5.0)
    yield
    sys.setswitchinterval(before)


def test_all_things_come_in_order() -> None:
    assert list(unhurried(range(10_000))) == list(range(10_000))
    assert list(unhurried([])) == []


def test_others_come_in_between(rare_switches: None) -> None:
    done = Event()
    thread, started = Thread(target=done.set), perf_counter()
    thread.start()
    for _ in unhurried(iter(int, 1)):  # without end
        if done.is_set() or perf_counter() - started > 4:
            break
    thread.join()
    assert perf_counter() - started < 3

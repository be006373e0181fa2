"""Work beside others leaves them room."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from threading import Event, Thread, get_native_id
from time import perf_counter, sleep

import pytest

from core.pace import giving_way, stand_back, unhurried


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


def test_who_gives_way_rests_as_told_and_nobody_else_does() -> None:
    rests: list[str] = []

    def work() -> None:
        for _ in unhurried(range(3)):
            sleep(0.001)

    with giving_way(lambda worked: rests.append("outer")):
        with giving_way(lambda worked: rests.append("inner")):
            work()
        work()
        other = Thread(target=work)
        other.start()
        other.join()
    work()
    assert rests == 3 * ["inner"] + 3 * ["outer"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
def test_only_the_thread_that_stands_back_has_less_of_the_processor() -> None:
    found: list[int] = []

    def work() -> None:
        stand_back()
        found.append(os.getpriority(os.PRIO_PROCESS, get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, get_native_id())
    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert found == [10]
    assert os.getpriority(os.PRIO_PROCESS, get_native_id()) == before

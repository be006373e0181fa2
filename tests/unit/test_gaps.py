"""Gaps between searches: who waits for one, and for how long."""

from __future__ import annotations

import time
from threading import Thread

from app.search.gaps import Gaps
from core.pace import unhurried


def test_nobody_waits_where_nobody_searches() -> None:
    began = time.monotonic()
    Gaps().wait(5.0)
    assert time.monotonic() - began < 1.0


def test_it_waits_until_the_last_search_has_ended() -> None:
    gaps, ended = Gaps(), []
    waiting = Thread(target=lambda: (gaps.wait(20.0), ended.append(gaps.searches)))
    with gaps.search():
        with gaps.search():
            waiting.start()
        time.sleep(0.05)
        assert not ended
    waiting.join(10.0)
    assert ended == [0]


def test_under_load_it_waits_for_as_long_as_it_may() -> None:
    gaps = Gaps()
    with gaps.search():
        began = time.monotonic()
        gaps.wait(0.05)
        assert 0.05 <= time.monotonic() - began < 5.0


def test_a_search_that_failed_has_ended_too() -> None:
    gaps = Gaps()
    try:
        with gaps.search():
            raise ValueError
    except ValueError:
        pass
    assert gaps.searches == 0


def test_work_beside_searches_rests_in_proportion_and_without_them_not_at_all() -> None:
    gaps = Gaps()

    def work() -> float:
        began = time.monotonic()
        with gaps.beside():
            for _ in unhurried(range(3)):
                time.sleep(0.05)
        return time.monotonic() - began

    alone = work()
    with gaps.search():
        beside = work()
    assert alone < 3 * (1 + 4) * 0.05 <= beside < 5.0

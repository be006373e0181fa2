"""Turns: how many compute at once, and that none waits for one that hangs."""

from __future__ import annotations

import time
from threading import Event, Thread

from app.search.turns import Turns


def test_a_third_waits_until_one_has_ended() -> None:
    turns, begun, ended = Turns(2), Event(), Event()

    def third() -> None:
        with turns.turn():
            begun.set()
            ended.wait(10.0)

    waiting = Thread(target=third)
    with turns.turn():
        with turns.turn():
            waiting.start()
            assert not begun.wait(0.05)
        assert begun.wait(10.0)
    ended.set()
    waiting.join()


def test_nobody_waits_for_ever_and_turns_come_back() -> None:
    turns = Turns(2, longest_s=0.2)
    with turns.turn(), turns.turn():
        began = time.monotonic()
        with turns.turn():
            assert 0.15 < time.monotonic() - began < 5.0
    for _ in range(5):
        began = time.monotonic()
        with turns.turn():
            assert time.monotonic() - began < 0.15

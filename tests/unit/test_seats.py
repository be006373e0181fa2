"""Who answers, this process or one beside it, when all are slow."""

from __future__ import annotations

from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest

from app.searchers import searchers
from app.searchers.searchers import Searchers
from app.settings import load_settings


def test_who_waited_too_long_costs_nobody_else_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process beside is running, as at the start: all sit down here."""
    monkeypatch.setattr(searchers, "_LONGEST_S", 0.05)
    service: Any = SimpleNamespace(others=None)
    settings = load_settings(overrides={"service": {"processes": 2}})
    asked, over = Searchers(service, settings), Event()
    seats: list[object] = []

    def ask() -> None:
        with asked._seat() as seat:
            seats.append(seat)
            over.wait(10)

    people = [Thread(target=ask) for _ in range(4)]
    for each in people:
        each.start()
        each.join(0.1)
    over.set()
    for each in people:
        each.join()
    assert seats == [None] * 4

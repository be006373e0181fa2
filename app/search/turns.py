"""Requests compute in turns: many at once in one interpreter take its lock from one another, and all are late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Semaphore


@dataclass(frozen=True, slots=True)
class Turns:
    """So many `at_once`. Nobody waits longer than `longest_s`, because those whose turn it is may hang with an arm;
    that is long, because a queue whose end runs off together grows for ever."""

    at_once: int
    longest_s: float = 2.0
    _free: Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_free", Semaphore(self.at_once))

    @contextmanager
    def turn(self) -> Iterator[None]:
        mine = self._free.acquire(timeout=self.longest_s)
        try:
            yield
        finally:
            if mine:
                self._free.release()

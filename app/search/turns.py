"""Searches compute in turns: many at once in one interpreter take its lock from one another, and all are late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Semaphore

_AT_ONCE = 2  # one waits for its arms, or for an encoder, while the other computes


@dataclass(frozen=True, slots=True)
class Turns:
    """One per service. Nobody waits longer than `longest_s`, because those whose turn it is may hang with an arm; that
    is long, because a queue whose end runs off together grows for ever."""

    longest_s: float = 2.0
    _free: Semaphore = field(init=False, default_factory=lambda: Semaphore(_AT_ONCE))

    @contextmanager
    def turn(self) -> Iterator[None]:
        mine = self._free.acquire(timeout=self.longest_s)
        try:
            yield
        finally:
            if mine:
                self._free.release()

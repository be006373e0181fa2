"""A circuit breaker: who fails again and again is left alone for a while, then tried once."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from threading import Lock

log = logging.getLogger(__name__)


class Circuit(StrEnum):
    """Closed: calls pass. Open: none does. Half open: one call is on its way, and decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens when `failures` of the last 2 x `failures` calls failed; `open_s` seconds later one call may try."""

    def __init__(self, name: str, *, failures: int, open_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any start, never running backwards."""
        self._name = name
        self._clock = clock
        self._lock = Lock()
        self._era = 0  # grows with every change: what was called in an earlier era has no say in this one
        self._retry_at = 0.0
        self.state = Circuit.CLOSED
        self.configure(failures=failures, open_s=open_s)

    def configure(self, *, failures: int, open_s: float) -> None:
        """From now on by these figures. The state stays, what the last calls did is forgotten."""
        with self._lock:
            self._failures, self._open_s = failures, open_s
            self._recent: deque[bool] = deque(maxlen=2 * failures)

    def admit(self) -> int | None:
        """A ticket, to be given back by `note` or `withdraw`; None while nobody may call."""
        if self.state is Circuit.CLOSED:
            return self._era
        with self._lock:
            return self._admit()

    def note(self, ticket: int, *, failed: bool) -> None:
        """What became of the call."""
        with self._lock:
            if ticket != self._era:
                return
            if self.state is Circuit.HALF_OPEN:
                self._decide(failed)
                return
            self._recent.append(failed)
            if failed and sum(self._recent) >= self._failures:
                self._open(f"{self._failures} of its last {len(self._recent)} calls failed")

    def withdraw(self, ticket: int) -> None:
        """The call said nothing about whether it works."""
        with self._lock:
            if ticket == self._era and self.state is Circuit.HALF_OPEN:
                self._become(Circuit.OPEN, "the call that was tried was given up")

    def _admit(self) -> int | None:
        if self.state is Circuit.OPEN and self._clock() >= self._retry_at:
            self._become(Circuit.HALF_OPEN, "one call is tried")
            return self._era
        return self._era if self.state is Circuit.CLOSED else None

    def _decide(self, failed: bool) -> None:
        if failed:
            self._open("the call that was tried failed")
        else:
            self._become(Circuit.CLOSED, "it works again")

    def _open(self, why: str) -> None:
        self._retry_at = self._clock() + self._open_s
        self._become(Circuit.OPEN, f"{why}; tried again in {self._open_s:g} s")

    def _become(self, state: Circuit, why: str) -> None:
        self.state, self._era = state, self._era + 1
        self._recent.clear()
        log.warning("circuit of arm %s: %s, %s", self._name, state.value, why)

"""The time of one request: what is left of it, and which stage took how much."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TypeAlias

Lap: TypeAlias = tuple[str, float, float]  # stage, began, ended


class RequestClock:
    """`laps`: by time.perf_counter, without gaps. A lap costs less than a microsecond.

    Processes of one machine share what perf_counter counts, so that another one can go on with it.
    """

    __slots__ = ("_last", "_until", "began", "laps")

    def __init__(self, limit_ms: float = math.inf, *, began: float | None = None) -> None:
        """`limit_ms` counts from `began`, by default now."""
        self.began = self._last = time.perf_counter() if began is None else began
        self._until = self.began + limit_ms / 1000
        self.laps: list[Lap] = []

    def lap(self, stage: str) -> None:
        """All since the last lap was this stage."""
        now = time.perf_counter()
        self.laps.append((stage, self._last, now))
        self._last = now

    def took_over(self, laps: Sequence[Lap]) -> None:
        """Another process has measured these."""
        self.laps = [*laps]
        self._last = laps[-1][2]

    def left_s(self) -> float:
        """Seconds until the request should be answered; 0 when that is over."""
        return max(0.0, self._until - time.perf_counter())

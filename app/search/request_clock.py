"""The time of one request: what is left of it, and which stage took how much."""

from __future__ import annotations

import math
import time


class RequestClock:
    """`laps`: (stage, began, ended) by time.perf_counter, without gaps. A lap costs less than a microsecond."""

    __slots__ = ("_last", "_until", "began", "laps")

    def __init__(self, limit_ms: float = math.inf, *, began: float | None = None) -> None:
        """`limit_ms` counts from `began`, by default now."""
        self.began = self._last = time.perf_counter() if began is None else began
        self._until = self.began + limit_ms / 1000
        self.laps: list[tuple[str, float, float]] = []

    def lap(self, stage: str) -> None:
        """All since the last lap was this stage."""
        now = time.perf_counter()
        self.laps.append((stage, self._last, now))
        self._last = now

    def left_s(self) -> float:
        """Seconds until the request should be answered; 0 when that is over."""
        return max(0.0, self._until - time.perf_counter())

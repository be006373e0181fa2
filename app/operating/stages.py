"""How long each stage of a search takes, as a histogram that costs microseconds to fill."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from threading import Lock

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from app.search.request_clock import Lap

NAME = "bowerbird_stage_seconds"
BOUNDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class StageTimes(Collector):
    """Filled with all laps of a request under one lock: a Histogram of the client library locks for each of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, laps: Sequence[Lap]) -> None:
        with self._lock:
            for stage, began, ended in laps:
                if stage not in self._counts:
                    self._counts[stage], self._sums[stage] = [0] * (len(BOUNDS) + 1), 0.0
                self._counts[stage][bisect_left(BOUNDS, ended - began)] += 1
                self._sums[stage] += ended - began

    def collect(self) -> Iterable[HistogramMetricFamily]:
        family = HistogramMetricFamily(NAME, "Time of a stage of a search.", labels=["stage"])
        with self._lock:
            for stage, counts in self._counts.items():
                family.add_metric([stage], list(_cumulated(counts)), self._sums[stage])
        yield family


def _cumulated(counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    bounds = [*map(str, BOUNDS), "+Inf"]
    yield from zip(bounds, map(float, accumulate(counts)), strict=True)

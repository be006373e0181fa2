"""What the service counts and times, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.operating.service_gauges import gauges
from app.operating.stages import StageTimes
from app.search.request_clock import Lap
from app.service import Service
from core.episodes import Impression

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Metrics:
    """One registry per application, so that several can live in one process."""

    def __init__(self, data_dir: Path) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter(
            "bowerbird_requests", "Answered requests by route and status.", ["route", "status"]
        )
        self._search = self._histogram("bowerbird_search_seconds", "Time of a search.")
        self._arm = self._histogram(
            "bowerbird_arm_seconds",
            "Time that an arm took to find its answer, or had taken where it is remembered.",
            ["arm"],
        )
        self._status = self._counter("bowerbird_arm", "Asked arms by what became of them.", ["arm", "status"])
        self._neural = self._counter(
            "bowerbird_neural", "Searches with a neural stage by what became of it.", ["status"]
        )
        self._plan = self._counter("bowerbird_plan", "Chosen plans.", ["plan"])
        self._degraded = self._counter("bowerbird_degraded_searches", "Searches that an asked arm did not answer.")
        self._unlogged = self._counter("bowerbird_unlogged_searches", "Searches that could not be logged.")
        self._events = self._counter(
            "bowerbird_events", "Feedback events by action and outcome.", ["action", "outcome"]
        )
        self._refused = self._counter(
            "bowerbird_refused", "Requests without a fitting key, or too many of one.", ["code"]
        )
        self._stages = StageTimes()
        self._registry.register(self._stages)
        self._gauges = _AtScrape(data_dir)
        self._registry.register(self._gauges)

    def answered(self, route: str, status: int) -> None:
        self._requests.labels(route, str(status)).inc()

    def searched(
        self, impression: Impression, seconds: float, laps: Sequence[Lap], *, logged: bool, preview: bool
    ) -> None:
        self._search.observe(seconds)
        self._stages.observe(laps)
        self._plan.labels(impression.choice.plan.name).inc()
        for arm, report in impression.arms.items():
            self._arm.labels(arm).observe(report.took_ms / 1000)
            self._status.labels(arm, report.status).inc()
        if neural := impression.neural:
            self._neural.labels(neural.status).inc()
        if impression.degraded:
            self._degraded.inc()
        if not (logged or preview):
            self._unlogged.inc()

    def events(self, found: Mapping[tuple[str, str], int]) -> None:
        """How many of each action and outcome."""
        for labels, count in found.items():
            self._events.labels(*labels).inc(count)

    def refused(self, code: str) -> None:
        self._refused.labels(code).inc()

    def expose(self, service: Service, searchers: int) -> bytes:
        """The text format. `searchers`: processes that answer beside it."""
        self._gauges.service, self._gauges.searchers = service, searchers
        return generate_latest(self._registry)

    def _counter(self, name: str, help_: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, help_, labels, registry=self._registry)

    def _histogram(self, name: str, help_: str, labels: Sequence[str] = ()) -> Histogram:
        return Histogram(name, help_, labels, buckets=_SECONDS, registry=self._registry)


class _AtScrape(Collector):
    """The gauges of a service, once there is one."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.service: Service | None = None
        self.searchers = 0

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return gauges(self.service, self.searchers, self._data_dir) if self.service else ()

"""What the service counts and times, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.service import Page, Service

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Metrics:
    """One registry per application, so that several can live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._search = Histogram(
            "bowerbird_search_seconds", "Time of a search.", buckets=_SECONDS, registry=self._registry
        )
        self._arm = Histogram(
            "bowerbird_arm_seconds", "Time of an arm.", ["arm"], buckets=_SECONDS, registry=self._registry
        )
        self._status = Counter(
            "bowerbird_arm_total", "Asked arms by what became of them.", ["arm", "status"], registry=self._registry
        )
        self._plan = Counter("bowerbird_plan_total", "Chosen plans.", ["plan"], registry=self._registry)
        self._events = Counter(
            "bowerbird_events_total", "Feedback events by action and outcome.", ["action", "outcome"],
            registry=self._registry,
        )  # fmt: skip
        self._shadows = Gauge(
            "bowerbird_shadows", "Searches chosen for shadow traffic, by what became of them.", ["outcome"],
            registry=self._registry,
        )  # fmt: skip
        self._items = Gauge("bowerbird_items", "Items that can be found.", registry=self._registry)
        self._release = Gauge("bowerbird_release", "The model release that serves.", registry=self._registry)

    def searched(self, page: Page, seconds: float) -> None:
        self._search.observe(seconds)
        self._plan.labels(page.answer.choice.plan.name).inc()
        for arm, report in page.answer.arms.items():
            self._arm.labels(arm).observe(report.took_ms / 1000)
            self._status.labels(arm, report.status).inc()

    def event(self, action: str, outcome: str) -> None:
        self._events.labels(action, outcome).inc()

    def expose(self, service: Service) -> bytes:
        """The text format."""
        for outcome, count in service.shadows.outcomes.items():
            self._shadows.labels(outcome).set(count)
        self._items.set(len(service.items))
        self._release.set(service.serving.release)
        return generate_latest(self._registry)

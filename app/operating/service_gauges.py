"""What the service holds at the moment of a scrape. Nothing here reads the log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily

from app.degradation.breaker import Circuit
from app.learning.learner_state import LearnerState, read_state
from app.service import Service

_OPEN = {Circuit.CLOSED: 0.0, Circuit.HALF_OPEN: 0.5, Circuit.OPEN: 1.0}
_FIGURES = {
    "value": ("bowerbird_policy_value", "Reward per search of the policy that serves, estimated from the log."),
    "value_low": ("bowerbird_policy_value_low", "Lower end of its 95 % interval."),
    "value_high": ("bowerbird_policy_value_high", "Upper end of its 95 % interval."),
    "logged_value": ("bowerbird_logged_value", "Mean reward of the searches it is estimated from."),
    "effective_sample_size": ("bowerbird_policy_effective_sample_size", "How many searches the estimate is worth."),
    "lowest_propensity": ("bowerbird_lowest_propensity", "The least probability with which a plan was drawn."),
    "rows": ("bowerbird_policy_rows", "Searches that the estimate is made from."),
}


def gauges(service: Service, searchers: int, data_dir: Path) -> Iterator[GaugeMetricFamily]:
    """`searchers` answer beside it. What is not known is absent, never 0."""
    yield _one("bowerbird_items", "Items that can be found.", len(service.items))
    yield _one("bowerbird_searchers", "Processes beside the service's own that answer searches.", searchers)
    yield _one("bowerbird_release", "The model release that serves.", service.serving.release)
    yield _by("bowerbird_shadows", "Searches chosen for shadow traffic, by what became of them.", "outcome",
              service.shadows.outcomes)  # fmt: skip
    guards = service.fan_out.arms
    yield _by("bowerbird_arm_circuit_open", "1: the arm is not asked; 0.5: one call tries it; 0: it is asked.", "arm",
              {name: _OPEN[guard.breaker.state] for name, guard in guards.items()})  # fmt: skip
    yield _by("bowerbird_arm_stuck", "Calls of an arm that nobody waits for any more and that still run.", "arm",
              {name: guard.stuck for name, guard in guards.items()})  # fmt: skip
    yield _by("bowerbird_arm_remembered", "Answers of an arm that were known from an earlier search.", "arm",
              service.fan_out.newest.used)  # fmt: skip
    yield _models(service)
    if state := read_state(data_dir):
        yield from _learner(state)


def _models(service: Service) -> GaugeMetricFamily:
    family = GaugeMetricFamily("bowerbird_model", "1 for each model that serves.", labels=["component", "version"])
    serving, release = service.serving, service.serving.components
    versions = {**{name: digest[:10] for name, digest in release.items()}}
    for name, version in {**versions, "policy": serving.policy.version, "ranker": serving.ranker.version}.items():
        family.add_metric([name, version], 1.0)
    return family


def _learner(state: LearnerState) -> Iterator[GaugeMetricFamily]:
    yield _one("bowerbird_learner_lag_seconds", "Since the learner had learned from all that had closed.",
               max(0.0, time.time() - state.caught_up))  # fmt: skip
    yield _one("bowerbird_learner_episodes", "Searches that the learner has learned from.", state.episodes)
    for name, (metric, help_) in _FIGURES.items():
        if name in state.figures:
            yield _one(metric, help_, state.figures[name])


def _one(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_, value=value)


def _by(name: str, help_: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family

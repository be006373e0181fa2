"""What other policies would have earned on the newest searches, with a verdict in words."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bandit.ope import Report, assess, evidence_from
from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.errors import BowerbirdError
from core.protocols import Policy
from core.types import Features

_NEWEST = 2_000
_EVERY_S = 10.0
_REST = 10.0  # times what it took: at most a tenth of the learner's time
_RESAMPLES = 200
_NO_FEATURES = Features((), np.zeros((0, 0), dtype=np.float32))


class OffPolicy:
    """A table by name of the policy, anew now and then; in between the last one stays."""

    def __init__(self, policies: Callable[[], Mapping[str, Policy]], library: PlanLibrary) -> None:
        """`policies`: those to ask about, by name, as they are now."""
        self._policies = policies
        self._library = library
        self._newest: deque[Episode] = deque(maxlen=_NEWEST)
        self._due = -math.inf
        self._table: list[dict[str, Any]] = []

    def add(self, episode: Episode) -> None:
        impression = replace(episode.impression, features=_NO_FEATURES, ranks={}, teams=(), sampled=_NO_FEATURES)
        self._newest.append(replace(episode, impression=impression, feedback=(), shadow=None))

    def to_json(self) -> list[dict[str, Any]]:
        if self._newest and time.monotonic() >= self._due:
            began = time.monotonic()
            self._table = [self._row(name, policy) for name, policy in self._policies().items()]
            self._due = time.monotonic() + max(_EVERY_S, _REST * (time.monotonic() - began))
        return self._table

    def _row(self, name: str, policy: Policy) -> dict[str, Any]:
        row: dict[str, Any] = {"name": name, "policy": policy.version}
        try:
            report = assess(evidence_from(self._newest, policy, library=self._library), resamples=_RESAMPLES, seed=1)
        except BowerbirdError as error:
            return {**row, "rows": 0, "verdict": str(error)}
        return {**row, **_figures(report), "verdict": verdict(report)}


def _figures(report: Report) -> dict[str, Any]:
    """Of the self-normalised estimate; what is not known, or must not be acted upon, is absent."""
    found: dict[str, float] = {"rows": report.rows, "effective": report.overlap.effective}
    if not report.refusal:
        value = report.estimates["snips"]
        found |= {"value": value.value, "low": value.low, "high": value.high, "logged": report.logging.value}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def verdict(report: Report) -> str:
    """What the log says of the policy beside what served, or why it says nothing."""
    if report.refusal:
        return f"Cannot tell. {report.refusal}"
    gain = report.gain_self_normalised
    told = f"{gain.value:+.4f} a search beside what served ({gain.low:+.4f} to {gain.high:+.4f})."
    if gain.low > 0:
        return f"Better: {told}"
    if gain.high < 0:
        return f"Worse: {told}"
    return f"No proven difference: {told}"

"""What the newest searches say of the policy that serves: its value with an interval, and how far to believe it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from bandit.ope import assess, evidence_from
from core.episodes import Episode
from core.protocols import Policy

_NEWEST = 2_000
_EVERY_S = 30.0
_RESAMPLES = 200


class PolicyWatch:
    """A Learner by its shape, so that the loop shows it every episode; it never makes a model."""

    component = "policy-watch"

    def __init__(self, policy: Callable[[], Policy]) -> None:
        """`policy` gives the one that serves now."""
        self._policy = policy
        self._newest: deque[Episode] = deque(maxlen=_NEWEST)
        self._due = -math.inf
        self._new = False
        self._figures: Mapping[str, float] = {}

    def learn(self, episodes: Sequence[Episode]) -> None:
        self._newest.extend(episodes)
        self._new = self._new or bool(episodes)

    def forget(self) -> None:
        """It will be shown everything again, but for what was erased."""
        self._newest.clear()
        self._new = False

    def snapshot(self) -> bytes | None:
        return None

    def figures(self, now: float) -> Mapping[str, float]:
        """`value` with `value_low` and `value_high` (SNIPS, 95 %), `logged_value` (mean reward of these searches),
        `effective_sample_size`, `lowest_propensity`, `rows`. What is not known is absent. Anew every 30 s at most."""
        if self._new and now >= self._due:
            self._due, self._new = now + _EVERY_S, False
            self._figures = self._assess()
        return self._figures

    def _assess(self) -> Mapping[str, float]:
        evidence = evidence_from(self._newest, self._policy())
        if evidence.rows == 0:
            return {"rows": 0.0}
        report = assess(evidence, resamples=_RESAMPLES)
        value = report.estimates["snips"]
        found = {
            "value": value.value,
            "value_low": value.low,
            "value_high": value.high,
            "logged_value": report.logging.value,
            "effective_sample_size": report.overlap.effective,
            "lowest_propensity": float(evidence.logged.min()),
            "rows": float(evidence.rows),
        }
        return {name: figure for name, figure in found.items() if math.isfinite(figure)}

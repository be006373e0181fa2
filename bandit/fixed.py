"""The fixed policy: always the same plan. A baseline."""

from __future__ import annotations

from collections.abc import Mapping

from bandit.plans import PlanLibrary
from core.types import Choice, Features, Query


class FixedPolicy:
    """Probability 1 for one plan."""

    def __init__(self, library: PlanLibrary, plan: str) -> None:
        self._library = library
        self._plan = library.plan(plan)
        self.version = f"fixed-{plan}-{library.version}"

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        return {plan.name: float(plan is self._plan) for plan in self._library.plans}

    def choose(self, query: Query, context: Features) -> Choice:
        return Choice(self._plan, 1.0, self.version)

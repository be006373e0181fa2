"""The uniform policy: every plan alike. A baseline, and the best data for off-policy evaluation."""

from __future__ import annotations

from collections.abc import Mapping

from bandit.draw import draw
from bandit.plans import PlanLibrary
from core.types import Choice, Features, Query


class UniformPolicy:
    """Probability 1 / M for each of the M plans."""

    def __init__(self, library: PlanLibrary, seed: int) -> None:
        self._library = library
        self._seed = seed
        self._propensities = {plan.name: 1 / len(library.plans) for plan in library.plans}
        self.version = f"uniform-{seed}-{library.version}"

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        return self._propensities

    def choose(self, query: Query, context: Features) -> Choice:
        return draw(self._library, self._propensities, query, seed=self._seed, policy=self.version)

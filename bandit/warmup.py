"""The policy while little is known: the default plan, and a small exact share of everything else."""

from __future__ import annotations

from collections.abc import Mapping

from bandit.draw import draw
from bandit.plans import PlanLibrary
from core.errors import InvalidConfig
from core.types import Choice, Features, Query


class WarmupPolicy:
    """Probability explore / M for each of the M plans, and 1 - explore on top for the default."""

    def __init__(self, library: PlanLibrary, seed: int, explore: float) -> None:
        """InvalidConfig unless `explore` is a share."""
        if not 0 <= explore <= 1:
            raise InvalidConfig("bad_explore", f"explore is {explore}; allowed are 0 to 1.", "It is a share.")
        self._library = library
        self._seed = seed
        count = len(library.plans)
        self._propensities = {
            plan.name: explore / count + (1 - explore) * (plan.name == library.default) for plan in library.plans
        }
        self.version = f"warmup-{explore!r}-{seed}-{library.version}"

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        return self._propensities

    def choose(self, query: Query, context: Features) -> Choice:
        return draw(self._library, self._propensities, query, seed=self._seed, policy=self.version)

"""What plans earn by what their arms earn: the union of arms that find independently, and its correction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.plans import PlanLibrary

Doubles = NDArray[np.float64]
_ROOM = 1.01  # the ceiling is at least this much above the best arm
_LEAST = 1e-4  # log-odds are finite from here on


class United:
    """The union for every plan of a library. `asks` [plans, heads]: whether the plan asks that arm at that depth."""

    def __init__(self, library: PlanLibrary) -> None:
        heads = library.heads
        self.asks = np.array([[plan.depths.get(arm) == depth for arm, depth in heads] for plan in library.plans])
        arms = [arm for arm, _ in heads]
        self._spans = [(arms.index(arm), arms.index(arm) + arms.count(arm)) for arm in dict.fromkeys(arms)]

    def __call__(self, weights: Doubles, values: NDArray[Any]) -> tuple[Doubles, float]:
        """([plans] c * (1 - prod(1 - v / c)), c) for the weights [heads + 1, F + 1] and the context's values [F]."""
        heads = sigmoid(weights[:, :-1] @ values + weights[:, -1])
        found = heads[:-1]
        for start, end in self._spans:  # a deeper answer earns no less
            np.maximum.accumulate(found[start:end], out=found[start:end])
        ceiling = max(float(heads[-1]), _ROOM * float(found.max()))
        missed = np.prod(np.where(self.asks, 1 - found / ceiling, 1.0), axis=1)
        return ceiling * (1 - missed), ceiling


def corrected(united: Doubles, more: Doubles) -> Doubles:
    """The rewards with `more` added to their log-odds."""
    rewards = np.clip(united, _LEAST, 1 - _LEAST)
    return sigmoid(np.log(rewards / (1 - rewards)) + more)


def sigmoid(values: Doubles) -> Doubles:
    result: Doubles = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return result

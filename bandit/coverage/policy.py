"""The learned policy: predict what each arm will earn, unite, subtract what it costs, explore by the inverse gap.

For a query with context x, a linear head per (arm, depth) predicts v = E[reward of what the arm has in its top depth |
x, the arm is asked], and one more the ceiling c >= v, the reward if nothing wanted were missed. A plan earns

    R = sigmoid(logit(c * (1 - prod(1 - v / c))) + w(plan) x)           product over the plan's arms

which is what arms that find independently earn together, corrected by what the plan was seen to earn, and scores
R - cost_per_ms * ms(plan), where ms is the sum of the arms' measured median times, because they share the processors.
In a context unlike those that were learned from, that is an extrapolation: the less the context can be trusted, the
more the scores of all plans but the default are drawn to a little below the default's.
Exploration is inverse-gap weighting (SquareCB: Foster and Rakhlin 2020, "Beyond UCB") mixed with a uniform floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.coverage.corrections import added
from bandit.coverage.familiarity import trust
from bandit.coverage.union import United, corrected
from bandit.draw import draw
from bandit.inverse_gap import inverse_gap
from bandit.plans import PlanLibrary
from bandit.policy_model import check_names, corrupt, pack, unpack, version
from core.types import Choice, Features, Query

Doubles = NDArray[np.float64]
# What the other plans are expected to earn less than the default one where nothing is known.
_BELOW = 0.05


@dataclass(frozen=True, slots=True)
class CoverageModel:
    """What the learner hands over: F context features, H heads in the order of `library.heads`, M plans.

    `weights` is [H + 1, F + 1]: the last row is the ceiling, the last column the intercept. `corrections` [M, F + 1]
    give what is added to the log-odds of the plans' rewards. `head_ms` [H] is the median time of each head's arm at its
    depth. `gamma` is the exploration parameter as it is now. `novelty` [F + 1, F + 1] tells contexts unlike those
    learned from.
    """

    library: PlanLibrary
    names: tuple[str, ...]
    weights: Doubles
    corrections: Doubles
    head_ms: Doubles
    gamma: float
    floor: float
    cost_per_ms: float
    novelty: Doubles

    def dump(self) -> bytes:
        header = {
            "library": self.library.to_json(),
            "names": self.names,
            "gamma": self.gamma,
            "floor": self.floor,
            "cost_per_ms": self.cost_per_ms,
        }
        return pack(
            header, weights=self.weights, corrections=self.corrections, head_ms=self.head_ms, novelty=self.novelty
        )

    @classmethod
    def load(cls, data: bytes) -> CoverageModel:
        """CorruptModel when the bytes are not what `dump` writes."""
        model = unpack(data, cls._read)
        heads, plans = len(model.library.heads), len(model.library.plans)
        arrays = model.weights, model.corrections, model.head_ms, model.novelty
        width = len(model.names) + 1
        shapes = tuple(array.shape for array in arrays)
        if shapes != ((heads + 1, width), (plans, width), (heads,), (width, width)):
            raise corrupt(f"its arrays {shapes} don't fit its {heads} heads and {plans} plans")
        if not all(np.isfinite(array).all() for array in arrays):
            raise corrupt("it holds numbers that are not finite")
        return model

    @classmethod
    def _read(cls, header: Mapping[str, Any], arrays: Mapping[str, Doubles]) -> CoverageModel:
        return cls(
            library=PlanLibrary.from_json(header["library"]),
            names=tuple(header["names"]),
            weights=arrays["weights"],
            corrections=arrays["corrections"],
            head_ms=arrays["head_ms"],
            novelty=arrays["novelty"],
            gamma=header["gamma"],
            floor=header["floor"],
            cost_per_ms=header["cost_per_ms"],
        )


class CoveragePolicy:
    """Serves a CoverageModel with one vectorised product per query; never loads what trained it."""

    def __init__(self, model: CoverageModel, *, seed: int) -> None:
        self._model = model
        self._seed = seed
        self._library = model.library
        self._united = United(model.library)
        self._default = [plan.name for plan in self._library.plans].index(self._library.default)
        self._cost = model.cost_per_ms * (self._united.asks @ model.head_ms)
        self.version = version("coverage", model.dump(), seed)

    @classmethod
    def load(cls, data: bytes, *, seed: int) -> CoveragePolicy:
        return cls(CoverageModel.load(data), seed=seed)

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        """CorruptModel when the context has other features than those that the model was trained on."""
        chances = inverse_gap(self.scores(context), gamma=self._model.gamma, floor=self._model.floor)
        return {plan.name: chance for plan, chance in zip(self._library.plans, chances.tolist(), strict=True)}

    def choose(self, query: Query, context: Features) -> Choice:
        return draw(self._library, self.propensities(query, context), query, seed=self._seed, policy=self.version)

    def scores(self, context: Features) -> Doubles:
        """[plans] expected reward minus cost, in library order, as far as the context can be trusted."""
        scores = self.rewards(context) - self._cost
        trusted = trust(self._model.novelty, context.values)
        default = scores[self._default]
        drawn: Doubles = trusted * scores + (1 - trusted) * (default - _BELOW)
        drawn[self._default] = default
        return drawn

    def rewards(self, context: Features) -> Doubles:
        """[plans] R, in library order."""
        check_names(self._model.names, context)
        united, _ = self._united(self._model.weights, context.values)
        return corrected(united, added(self._model.corrections, context.values))

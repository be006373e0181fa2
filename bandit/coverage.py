"""The learned policy: predict what each arm will cover, subtract what it costs, explore by the inverse gap.

For a query with context x, a linear head per (arm, depth) predicts p = P(the wanted item is in the arm's top depth |
something is clicked, x), and one more predicts s = P(something is clicked | x). A plan scores

    s(x) * U(plan) - cost_per_ms * ms(plan)
    U = (1 - rho) * (1 - prod(1 - p)) + rho * max(p)        over the plan's arms

where rho in [0, 1] is the overlap of the arms (0: they find independently, 1: one finds what all find) and ms is the
sum of the arms' measured median times, because they share the processors. Exploration is inverse-gap weighting
(SquareCB: Foster and Rakhlin 2020, "Beyond UCB") mixed with a uniform floor.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandit.draw import draw
from bandit.plans import PlanLibrary
from core.errors import CorruptModel
from core.types import Choice, Features, Query

Doubles = NDArray[np.float64]
# All that numpy, zipfile and json raise for bytes that were cut or altered.
_UNREADABLE = (ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class CoverageModel:
    """What the learner hands over: F context features, H heads in the order of `library.heads`.

    `weights` is [H + 1, F + 1]: the last row is the satisfaction head, the last column the intercept. `head_ms` [H] is
    the median time of each head's arm at its depth. `gamma` is the exploration parameter as it is now.
    """

    library: PlanLibrary
    names: tuple[str, ...]
    weights: Doubles
    head_ms: Doubles
    overlap: float
    gamma: float
    floor: float
    cost_per_ms: float

    def dump(self) -> bytes:
        header = {
            "library": self.library.to_json(),
            "names": self.names,
            "overlap": self.overlap,
            "gamma": self.gamma,
            "floor": self.floor,
            "cost_per_ms": self.cost_per_ms,
        }
        buffer = io.BytesIO()
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        np.savez(buffer, header=text, weights=self.weights, head_ms=self.head_ms)
        return buffer.getvalue()

    @classmethod
    def load(cls, data: bytes) -> CoverageModel:
        """CorruptModel when the bytes are not what `dump` writes."""
        try:
            model = cls._read(data)
        except _UNREADABLE as error:
            raise _corrupt(f"it cannot be read ({error})") from error
        heads = len(model.library.heads)
        if model.weights.shape != (heads + 1, len(model.names) + 1) or model.head_ms.shape != (heads,):
            raise _corrupt(f"its arrays {model.weights.shape} and {model.head_ms.shape} don't fit its {heads} heads")
        if not (np.isfinite(model.weights).all() and np.isfinite(model.head_ms).all()):
            raise _corrupt("it holds numbers that are not finite")
        return model

    @classmethod
    def _read(cls, data: bytes) -> CoverageModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            return cls(
                library=PlanLibrary.from_json(header["library"]),
                names=tuple(header["names"]),
                weights=stored["weights"],
                head_ms=stored["head_ms"],
                overlap=header["overlap"],
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
        self._asks = _asks(model.library)
        self._cost = model.cost_per_ms * (self._asks @ model.head_ms)
        self._arm_starts = _arm_starts(model.library)
        digest = hashlib.sha256(model.dump() + str(seed).encode()).hexdigest()[:10]
        self.version = f"coverage-{digest}"

    @classmethod
    def load(cls, data: bytes, *, seed: int) -> CoveragePolicy:
        return cls(CoverageModel.load(data), seed=seed)

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        """CorruptModel when the context has other features than those that the model was trained on."""
        chances = self._explore(self.scores(context))
        return {plan.name: chance for plan, chance in zip(self._library.plans, chances.tolist(), strict=True)}

    def choose(self, query: Query, context: Features) -> Choice:
        return draw(self._library, self.propensities(query, context), query, seed=self._seed, policy=self.version)

    def scores(self, context: Features) -> Doubles:
        """[plans] expected reward minus cost, in library order."""
        covered, satisfied = self.coverage(context)
        return satisfied * covered - self._cost

    def coverage(self, context: Features) -> tuple[Doubles, float]:
        """([plans] U, s) for a context."""
        if context.names != self._model.names:
            different = sorted(set(context.names) ^ set(self._model.names))
            raise CorruptModel(
                "policy_features_differ",
                f"The policy was trained on other context features (different: {different}).",
                "The default plan serves meanwhile; the learner publishes a fitting policy after new clicks.",
            )
        heads = _sigmoid(self._model.weights[:, :-1] @ context.values + self._model.weights[:, -1])
        found = heads[:-1]
        for start, end in self._arm_starts:  # a deeper answer covers no less
            np.maximum.accumulate(found[start:end], out=found[start:end])
        asked = np.where(self._asks, found, 0.0)
        independent = 1 - np.prod(1 - asked, axis=1)
        overlap = self._model.overlap
        return (1 - overlap) * independent + overlap * asked.max(axis=1), float(heads[-1])

    def _explore(self, scores: Doubles) -> Doubles:
        count = len(scores)
        best = int(np.argmax(scores))
        chances = 1 / (count + self._model.gamma * (scores[best] - scores))
        chances[best] = 0
        chances[best] = 1 - chances.sum()
        mixed: Doubles = self._model.floor / count + (1 - self._model.floor) * chances
        return mixed


def _corrupt(why: str) -> CorruptModel:
    return CorruptModel("bad_policy", f"The policy model is damaged: {why}.", "The learner publishes another.")


def _asks(library: PlanLibrary) -> NDArray[np.bool_]:
    """[plans, heads]: whether the plan asks that arm at that depth."""
    return np.array([[plan.depths.get(arm) == depth for arm, depth in library.heads] for plan in library.plans])


def _arm_starts(library: PlanLibrary) -> list[tuple[int, int]]:
    """The span of each arm's heads, which are sorted by arm and depth."""
    arms = [arm for arm, _ in library.heads]
    return [(arms.index(arm), arms.index(arm) + arms.count(arm)) for arm in dict.fromkeys(arms)]


def _sigmoid(values: Doubles) -> Doubles:
    result: Doubles = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return result

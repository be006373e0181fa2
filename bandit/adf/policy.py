"""The policy that Vowpal Wabbit learned as a bandit over whole plans: a rival of the coverage policy.

The cost of a plan is linear in the context, with weights of its own for every arm@depth that it asks and for the plan
itself (`--cb_explore_adf`, action-dependent features). Exploration is VW's `--squarecb`, mixed with a uniform floor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.draw import draw
from bandit.inverse_gap import inverse_gap
from bandit.plans import PlanLibrary
from bandit.policy_model import check_names, corrupt, pack, unpack, version
from core.types import Choice, Features, Query

Doubles = NDArray[np.float64]
_MAGIC = b"bowerbird vw_adf 1\n"
_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class AdfModel:
    """What the learner hands over, for F context features.

    `weights` is [K, F + 1] over the K columns of `action_features`, the last column the intercept: what VW expects of
    the cost. `gamma` is the exploration parameter as it is now. `vw` is VW's own model, to learn on from; serving
    doesn't read it.
    """

    library: PlanLibrary
    names: tuple[str, ...]
    weights: Doubles
    gamma: float
    floor: float
    vw: bytes

    def dump(self) -> bytes:
        """A line that names the kind, the SHA-256 of the rest, and an npz with a JSON header."""
        header = {"library": self.library.to_json(), "names": self.names, "gamma": self.gamma, "floor": self.floor}
        body = pack(header, weights=self.weights, vw=np.frombuffer(self.vw, dtype=np.uint8))
        return _MAGIC + hashlib.sha256(body).digest() + body

    @staticmethod
    def wrote(data: bytes) -> bool:
        """Whether these are, or once were, bytes of this kind of model."""
        return data.startswith(_MAGIC)

    @classmethod
    def load(cls, data: bytes) -> AdfModel:
        """CorruptModel when the bytes are not what `dump` writes. VW, which dies of damage, never sees such."""
        if not cls.wrote(data):
            raise corrupt("it is not of the kind vw_adf")
        start = len(_MAGIC) + _DIGEST
        if hashlib.sha256(data[start:]).digest() != data[len(_MAGIC) : start]:
            raise corrupt("its bytes don't have the digest that they were written with")
        model = unpack(data[start:], cls._read)
        expected = (action_features(model.library).shape[1], len(model.names) + 1)
        if model.weights.shape != expected:
            raise corrupt(f"its weights are {model.weights.shape}, not {expected}")
        if not (np.isfinite(model.weights).all() and 0 <= model.gamma < np.inf and 0 <= model.floor <= 1):
            raise corrupt("it holds numbers that cannot be")
        return model

    @classmethod
    def _read(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> AdfModel:
        return cls(
            library=PlanLibrary.from_json(header["library"]),
            names=tuple(header["names"]),
            weights=arrays["weights"],
            gamma=header["gamma"],
            floor=header["floor"],
            vw=arrays["vw"].tobytes(),
        )


class VwAdfPolicy:
    """Serves an AdfModel with two products per query; never loads VW."""

    def __init__(self, model: AdfModel, *, seed: int) -> None:
        self._model = model
        self._seed = seed
        self._weights = action_features(model.library) @ model.weights  # [plans, F + 1]
        self._names = [plan.name for plan in model.library.plans]
        self.version = version("vw_adf", model.dump(), seed)

    @classmethod
    def load(cls, data: bytes, *, seed: int) -> VwAdfPolicy:
        return cls(AdfModel.load(data), seed=seed)

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        """CorruptModel when the context has other features than those that the model was trained on."""
        chances = inverse_gap(-self.costs(context), gamma=self._model.gamma, floor=self._model.floor)
        return dict(zip(self._names, chances.tolist(), strict=True))

    def choose(self, query: Query, context: Features) -> Choice:
        chances = self.propensities(query, context)
        return draw(self._model.library, chances, query, seed=self._seed, policy=self.version)

    def costs(self, context: Features) -> Doubles:
        """[plans] expected cost minus reward, in library order."""
        check_names(self._model.names, context)
        costs: Doubles = self._weights[:, :-1] @ context.values.astype(np.float64) + self._weights[:, -1]
        return costs


def action_features(library: PlanLibrary) -> NDArray[np.bool_]:
    """[plans, K]: whether the plan asks that arm at that depth, for `library.heads`; then which plan it is."""
    asks = [[plan.depths.get(arm) == depth for arm, depth in library.heads] for plan in library.plans]
    return np.hstack([np.array(asks), np.eye(len(library.plans), dtype=bool)])

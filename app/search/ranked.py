"""Candidates in an order, with all that goes along with each of them when a later step reorders them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.protocols import Ranker
from core.types import ArmReport, Candidate, Features, ItemId
from core.union import Ordered


@dataclass(frozen=True, slots=True)
class Ranked:
    """Per candidate: its score, the ranker that gave it for the features as they are, and the place from 1 that this
    ranker gave it on its own; later steps may have moved it.

    `version` names the ranker, and the model that has read the first after it. `neural` is that of an Impression.
    `held_back`: why, of those that diversity put later.
    """

    version: str
    candidates: Sequence[Candidate]
    scores: NDArray[np.float64]
    features: Features
    rankers: tuple[Ranker, ...]
    places: tuple[int, ...]
    neural: ArmReport | None = None
    held_back: Mapping[ItemId, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, ranker: Ranker, candidates: Sequence[Candidate], scores: NDArray[np.float64], features: Features
    ) -> Ranked:
        """Best first; of equal ones, the first of the union first."""
        rows, count = np.argsort(-scores, kind="stable"), len(candidates)
        return cls(
            version=ranker.version,
            candidates=Ordered(candidates, rows.tolist()),
            scores=scores[rows],
            features=replace(features, values=features.values[rows]),
            rankers=(ranker,) * count,
            places=tuple(range(1, count + 1)),
        )

    def reordered(self, order: Sequence[int]) -> Ranked:
        """The rows of `order`, each there once at most."""
        rows = np.array(order, dtype=np.intp)
        return replace(
            self,
            candidates=Ordered(self.candidates, order),
            scores=self.scores[rows],
            features=replace(self.features, values=self.features.values[rows]),
            rankers=tuple(self.rankers[row] for row in order),
            places=tuple(self.places[row] for row in order),
        )

    def above(self, other: Ranked) -> Ranked:
        """The rows of both, `other`'s below; named `first + second` where rankers differ. `neural` is the first's."""
        return Ranked(
            version=self.version if self.version == other.version else f"{self.version} + {other.version}",
            candidates=(*self.candidates, *other.candidates),
            scores=np.concatenate([self.scores, other.scores]),
            features=replace(self.features, values=np.vstack([self.features.values, other.features.values])),
            rankers=(*self.rankers, *other.rankers),
            places=(*self.places, *other.places),
            neural=self.neural,
            held_back={**other.held_back, **self.held_back},
        )

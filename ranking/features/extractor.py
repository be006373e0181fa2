"""All features of the candidates of one query, computed once per request and logged as they were."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from core.types import Candidate, Features, Floats, Item, ItemId, Query
from ranking.features.arms import ArmFeatures
from ranking.features.behaviour import BehaviourFeatures
from ranking.features.item import ItemFeatures
from ranking.features.text import TextFeatures


class Family(Protocol):
    """A group of features; NaN means missing."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def compute(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        """[len(candidates), len(names)] float32."""
        ...


class FeatureExtractor:
    """The families side by side. Follows the catalogue, so that nothing per item is computed per request."""

    def __init__(self, arms: Sequence[str], items: Mapping[ItemId, Item]) -> None:
        """`arms`: those that have features. `items` is kept up to date by somebody else."""
        self._behaviour, self._text = BehaviourFeatures(items), TextFeatures()
        self._families: tuple[Family, ...] = (ArmFeatures(arms), self._text, ItemFeatures(), self._behaviour)
        self.names = tuple(name for family in self._families for name in family.names)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self._text.apply(upserts, deletes)

    def save(self, folder: Path) -> None:
        self._text.save(folder)

    def restore(self, folder: Path) -> None:
        self._text.restore(folder)

    def load(self, popularity: bytes | None) -> None:
        """Swap the learned rates in; None forgets them."""
        self._behaviour.load(popularity)

    def extract(self, query: Query, candidates: Sequence[Candidate]) -> Features:
        """One row per candidate, one column per name."""
        if not candidates:
            return Features(self.names, np.empty((0, len(self.names)), dtype=np.float32))
        return Features(self.names, np.hstack([family.compute(query, candidates) for family in self._families]))

"""What rank fusion adds to the scores of the trees, each arm with a weight of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Floats

# Smaller than the 60 of reciprocal rank fusion: with weights, first places may count more without one arm winning all.
ANCHOR_K = 20


def reciprocals(ranks: Floats) -> NDArray[np.float64]:
    """1 / (20 + rank), 0 where the arm has not found it."""
    found: NDArray[np.float64] = np.where(np.isnan(ranks), 0.0, 1 / (ANCHOR_K + ranks.astype(np.float64)))
    return found


class Anchor:
    """Sum over some arms of weight / (20 + rank): weighted reciprocal rank fusion. docs/decisions/005 says why."""

    def __init__(self, weights: Mapping[str, float], names: Sequence[str]) -> None:
        """`weights` by the feature that has the arm's rank; `names` of all features, in order."""
        self.columns = [names.index(name) for name in weights]
        self._weights = np.array([*weights.values()], dtype=np.float64)

    def amounts(self, values: Floats) -> NDArray[np.float64]:
        """[rows, arms] what each arm adds."""
        return reciprocals(values[:, self.columns]) * self._weights

    def score(self, values: Floats) -> NDArray[np.float64]:
        """[rows] of [rows, features]."""
        return reciprocals(values[:, self.columns]) @ self._weights

"""A position-based click model: a result is clicked when it is looked at and attracts (Craswell et al. 2008)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PositionBasedClicks:
    """P(click at k) = (1 / k) ** severity * (noise + (1 - noise) * (2^grade - 1) / (2^best - 1)).

    Attraction is graded, and `noise` of it goes to irrelevant results as well.
    """

    best: int
    severity: float = 1.0
    noise: float = 0.1

    def probabilities(self, grades: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """[len(grades)] click probabilities for results shown from position 1 on."""
        positions = np.arange(1, len(grades) + 1)
        attraction = (np.exp2(np.array(grades, dtype=np.float64)) - 1) / (2**self.best - 1)
        probabilities: np.ndarray[tuple[int], np.dtype[np.float64]] = positions**-self.severity * (
            self.noise + (1 - self.noise) * attraction
        )
        return probabilities

    def clicked(self, grades: Sequence[int], random: np.random.Generator) -> list[int]:
        """Indices (from 0) of the clicked results."""
        return np.flatnonzero(random.random(len(grades)) < self.probabilities(grades)).tolist()

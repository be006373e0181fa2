"""Click models: a result is clicked when it is looked at and attracts; they differ in who looks at what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


class ClickModel(Protocol):
    """Who clicks on what of a page whose results have these grades."""

    def clicked(self, grades: Sequence[int], random: np.random.Generator) -> list[int]:
        """Indices (from 0) of the clicked results."""
        ...


@dataclass(frozen=True, slots=True)
class PositionBasedClicks:
    """Position-based (Craswell et al. 2008): who looks depends on the position alone.

    P(click at k) = (1 / k) ** severity * (noise + (1 - noise) * (2^grade - 1) / (2^best - 1)). Attraction is graded,
    and `noise` of it goes to irrelevant results as well.
    """

    best: int
    severity: float = 1.0
    noise: float = 0.1

    def probabilities(self, grades: Sequence[int]) -> Doubles:
        """[len(grades)] click probabilities for results shown from position 1 on."""
        positions = np.arange(1, len(grades) + 1)
        return positions**-self.severity * _attraction(grades, self.best, self.noise)

    def clicked(self, grades: Sequence[int], random: np.random.Generator) -> list[int]:
        """Indices (from 0) of the clicked results."""
        return np.flatnonzero(random.random(len(grades)) < self.probabilities(grades)).tolist()


@dataclass(frozen=True, slots=True)
class CascadeClicks:
    """Dependent clicks (Guo et al. 2009): from the top down; after a click one goes on with probability `goes_on`,
    without one always, but for a share of `tires` at each result.

    Attraction as in PositionBasedClicks. With `goes_on` 0 it is the cascade model (Craswell et al. 2008).
    """

    best: int
    goes_on: float = 0.3
    tires: float = 0.15
    noise: float = 0.1

    def clicked(self, grades: Sequence[int], random: np.random.Generator) -> list[int]:
        """Indices (from 0) of the clicked results."""
        clicked = []
        for row, attraction in enumerate(_attraction(grades, self.best, self.noise)):
            attracted = random.random() < attraction
            if attracted:
                clicked.append(row)
            if random.random() >= (self.goes_on if attracted else 1 - self.tires):
                break
        return clicked


def _attraction(grades: Sequence[int], best: int, noise: float) -> Doubles:
    """[len(grades)] P(click | looked at)."""
    graded = (np.exp2(np.array(grades, dtype=np.float64)) - 1) / (2**best - 1)
    attraction: Doubles = noise + (1 - noise) * graded
    return attraction

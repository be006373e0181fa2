"""Inverse-gap weighting: the worse a plan looks beside the best, the less often it is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def inverse_gap(scores: Doubles, *, gamma: float, floor: float) -> Doubles:
    """[plans] probabilities from finite scores [plans], the higher the better; each is at least floor / plans.

    SquareCB (Foster and Rakhlin 2020, "Beyond UCB"): p = 1 / (plans + gamma * gap) for all but the best, which gets
    the rest; mixed with a uniform share `floor`.
    """
    count, best = len(scores), int(np.argmax(scores))
    chances = 1 / (count + gamma * (scores[best] - scores))
    chances[best] = 0
    chances[best] = 1 - chances.sum()
    mixed: Doubles = floor / count + (1 - floor) * chances
    return mixed

"""The highest of very many scores, without sorting, and mostly without copying, the others."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_SHARE = 16  # one score in so many tells how high a score must be to be looked at


def highest(scores: NDArray[np.floating], depth: int, *, above: float = -math.inf) -> NDArray[np.intp]:
    """The positions, ascending, of the `depth` highest scores that are over `above`, and of all that tie with the
    last of them. `depth`: 1 or more."""
    part = scores[: len(scores) // _SHARE]  # the best of a part are no better than those of all, and quicker to find
    part = part[part > above]
    near = np.flatnonzero(scores >= nth_highest(part, depth) if len(part) > depth else scores > above)
    found = scores.take(near)
    return near.compress(found >= nth_highest(found, depth)) if len(near) > depth else near


def nth_highest(scores: NDArray[np.floating], depth: int) -> float:
    """The score that the `depth` highest end with; there are no fewer."""
    return float(np.partition(scores, len(scores) - depth)[len(scores) - depth])

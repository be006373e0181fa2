"""How much of a context the learner has seen lately, and so how far its predictions there can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
_KEPT = 0.9995  # of what was seen, at each episode: the last 2,000 count
_PRIOR = 1.0  # episodes that every direction of the context has been seen in
# A context with more than this many times the usual leverage is unusual: twice to three times is what statisticians
# look at (Hoaglin and Welsch 1978, "The hat matrix in regression and ANOVA").
_UNUSUAL = 3.0


class Familiarity:
    """The decayed second moment of the contexts of the episodes that taught."""

    def __init__(self, width: int) -> None:
        self._moment = np.zeros((width + 1, width + 1))
        self._count = 0.0

    def learn(self, values: Doubles) -> None:
        """[width] of one episode."""
        known = np.append(values, 1.0)
        self._moment = _KEPT * self._moment + np.outer(known, known)
        self._count = _KEPT * self._count + 1

    def export(self) -> Doubles:
        """[width + 1, width + 1] N with x @ N @ x = leverage of x (the last entry 1) over what is still usual."""
        inverse = np.asarray(np.linalg.inv(self._moment + _PRIOR * np.eye(len(self._moment))), dtype=np.float64)
        usual = float(np.sum(inverse * self._moment)) / max(self._count, 1.0)
        return inverse / max(_UNUSUAL * usual, 1e-12)


def trust(novelty: Doubles, values: NDArray[Any]) -> float:
    """In (0, 1]: 1 for a usual context, falling as the inverse of its leverage beyond."""
    known = np.append(values, 1.0).astype(np.float64)
    return min(1.0, 1.0 / max(float(known @ novelty @ known), 1e-12))

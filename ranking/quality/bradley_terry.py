"""How good each item is judged to be, from judgments of pairs, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import ItemId

_STEPS, _TOLERANCE = 100, 1e-10


@dataclass(frozen=True, slots=True)
class Strength:
    """`score` in logits: a beats b with probability 1 / (1 + exp(b - a)). Scores have the mean 0; `error` is the
    standard error of the difference from that mean."""

    score: float
    error: float


def bradley_terry(judgments: Sequence[tuple[ItemId, ItemId]], *, prior: float = 2.0) -> Mapping[ItemId, Strength]:
    """The strength of every item that was judged, from (better, worse) pairs.

    The mode of the posterior under independent normal priors with standard deviation `prior`, which keeps scores finite
    and unconnected items comparable, by Newton's method; errors from the inverse of the Hessian there, less what the
    prior adds for the common level, of which pairs tell nothing (Bradley and Terry 1952, "Rank analysis of incomplete
    block designs"). Takes memory for a square of the number of items.
    """
    items = sorted({item for pair in judgments for item in pair})
    rows = {item: n for n, item in enumerate(items)}
    better = np.array([rows[one] for one, _ in judgments], dtype=np.int64)
    worse = np.array([rows[other] for _, other in judgments], dtype=np.int64)
    scores = np.zeros(len(items))
    for _ in range(_STEPS):
        slope, curvature = _derivatives(scores, better, worse, prior)
        step = np.linalg.solve(curvature, slope)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max(initial=0.0)), 1e-300))  # a long step can overshoot
        scores += step
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            break
    variances = np.diag(np.linalg.inv(_derivatives(scores, better, worse, prior)[1]))
    errors = np.sqrt(np.maximum(variances - prior**2 / max(len(items), 1), 0.0))
    found = zip(items, scores.tolist(), errors.tolist(), strict=True)
    return {item: Strength(score, error) for item, score, error in found}


def _derivatives(
    scores: NDArray[np.float64], better: NDArray[np.int64], worse: NDArray[np.int64], prior: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gradient of the log posterior, and minus its Hessian."""
    surprise = 1 / (1 + np.exp(scores[better] - scores[worse]))
    slope = -scores / prior**2
    np.add.at(slope, better, surprise)
    np.add.at(slope, worse, -surprise)
    curvature = np.eye(len(scores)) / prior**2
    weight = surprise * (1 - surprise)
    for one, other, sign in ((better, better, 1), (worse, worse, 1), (better, worse, -1), (worse, better, -1)):
        np.add.at(curvature, (one, other), sign * weight)
    return slope, curvature

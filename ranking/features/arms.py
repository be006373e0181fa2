"""What the arms said: rank, score, and how that score compares with the best of the same answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Candidate, Floats, Query
from ranking.rrf import RRF_K

Doubles = NDArray[np.float64]


class ArmFeatures:
    """Per arm `rank` (from 1), `score` and `score_share` (of the best), NaN where the arm didn't find the candidate.

    Also NaN where the arm only predicts it: what the memory guesses must not be ranked as if it had been seen.
    `arms.found` counts the arms that did, and not only predicted it; `arms.rrf` is their reciprocal rank fusion.
    """

    def __init__(self, arms: Sequence[str]) -> None:
        self._arms = tuple(arms)
        per_arm = [f"{arm}.{figure}" for arm in arms for figure in ("rank", "score", "score_share")]
        self.names = (*per_arm, "arms.found", "arms.rrf")

    def compute(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        nan = float("nan")
        ranks = np.array([[c.ranks.get(arm, nan) for arm in self._arms] for c in candidates])
        scores = np.array([[c.scores.get(arm, nan) for arm in self._arms] for c in candidates])
        predicted = np.array([[arm in c.predicted for arm in self._arms] for c in candidates])
        found = ~np.isnan(ranks) & ~predicted
        shares = _shares(scores)
        fused = np.where(found, 1 / (RRF_K + np.nan_to_num(ranks)), 0.0).sum(axis=1)
        known = np.where(predicted[:, :, None], nan, np.stack([ranks, scores, shares], axis=2))
        per_arm = known.reshape(len(candidates), -1)
        return np.column_stack([per_arm, found.sum(axis=1), fused]).astype(np.float32)


def _shares(scores: Doubles) -> Doubles:
    """[candidates, arms] of the arm's best score, at most 1; the other way round where even the best is negative."""
    best = np.nanmax(scores, axis=0, initial=-np.inf, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares: Doubles = np.where(best > 0, scores / best, best / scores)
    return np.where(scores == best, 1.0, shares)

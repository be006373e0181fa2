"""What the arms said: rank, score, and how that score compares with the best of the same answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from core.types import Candidate, Floats, Item, ItemId, Query
from ranking.rrf import RRF_K


class ArmFeatures:
    """Per arm `rank` (from 1), `score` and `score_share` (of the best), NaN where the arm didn't find the candidate.

    Also NaN where the arm only predicts it: what the memory guesses must not be ranked as if it had been seen.
    `arms.found` counts the arms that did; `arms.rrf` is their reciprocal rank fusion.
    """

    def __init__(self, arms: Sequence[str]) -> None:
        self._arms = tuple(arms)
        per_arm = [f"{arm}.{figure}" for arm in arms for figure in ("rank", "score", "score_share")]
        self.names = (*per_arm, "arms.found", "arms.rrf")

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        """Nothing here depends on the catalogue."""

    def compute(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        nan = float("nan")
        ranks = np.array([[c.ranks.get(arm, nan) for arm in self._arms] for c in candidates])
        scores = np.array([[c.scores.get(arm, nan) for arm in self._arms] for c in candidates])
        predicted = np.array([[arm in c.predicted for arm in self._arms] for c in candidates])
        found = ~np.isnan(ranks)
        best = np.max(np.where(found, scores, 0.0), axis=0, initial=1e-9)
        shares = scores / best
        fused = np.where(found, 1 / (RRF_K + np.nan_to_num(ranks)), 0.0).sum(axis=1)
        known = np.where(predicted[:, :, None], nan, np.stack([ranks, scores, shares], axis=2))
        per_arm = known.reshape(len(candidates), -1)
        return np.column_stack([per_arm, found.sum(axis=1), fused]).astype(np.float32)

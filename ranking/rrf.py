"""Reciprocal rank fusion: the order until a model exists, and whenever one is broken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Candidate, Contributions, Features
from core.union import by_arm

RRF_K = 60  # Cormack, Clarke and Buettcher 2009


class ReciprocalRankFusion:
    """Score = sum over the arms of 1 / (60 + rank)."""

    version = "rrf"

    def score(self, candidates: Sequence[Candidate], features: Features) -> NDArray[np.float64]:
        scores = np.zeros(len(candidates))
        for column in by_arm(candidates).values():
            scores[column.rows] += 1 / (RRF_K + column.ranks)
        return scores

    def contributions(self, candidates: Sequence[Candidate], features: Features) -> Contributions:
        """1 / (60 + rank) of each arm that found it, under the name of the arm's rank."""
        arms = by_arm(candidates)
        ranks = np.full((len(candidates), len(arms)), np.nan)
        for place, column in enumerate(arms.values()):
            ranks[column.rows, place] = column.ranks
        amounts = np.nan_to_num(1 / (RRF_K + ranks))
        return Contributions(tuple(f"{arm}.rank" for arm in arms), ranks, amounts, 0.0)

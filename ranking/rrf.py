"""Reciprocal rank fusion: the order until a model exists, and whenever one is broken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Candidate, Contributions, Features

RRF_K = 60  # Cormack, Clarke and Buettcher 2009


class ReciprocalRankFusion:
    """Score = sum over the arms of 1 / (60 + rank)."""

    version = "rrf"

    def score(self, candidates: Sequence[Candidate], features: Features) -> NDArray[np.float64]:
        return np.array([sum(1 / (RRF_K + rank) for rank in candidate.ranks.values()) for candidate in candidates])

    def contributions(self, candidates: Sequence[Candidate], features: Features) -> Contributions:
        """1 / (60 + rank) of each arm that found it, under the name of the arm's rank."""
        arms = list(dict.fromkeys(arm for candidate in candidates for arm in candidate.ranks))
        found = [[candidate.ranks.get(arm, np.nan) for arm in arms] for candidate in candidates]
        ranks = np.array(found, dtype=np.float64).reshape(len(candidates), len(arms))
        amounts = np.nan_to_num(1 / (RRF_K + ranks))
        return Contributions(tuple(f"{arm}.rank" for arm in arms), ranks, amounts, 0.0)

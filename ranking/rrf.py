"""Reciprocal rank fusion: the order until a model exists, and whenever one is broken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Candidate, Features

RRF_K = 60  # Cormack, Clarke and Buettcher 2009


class ReciprocalRankFusion:
    """Score = sum over the arms of 1 / (60 + rank)."""

    version = "rrf"

    def score(self, candidates: Sequence[Candidate], features: Features) -> NDArray[np.float64]:
        return np.array([sum(1 / (RRF_K + rank) for rank in candidate.ranks.values()) for candidate in candidates])

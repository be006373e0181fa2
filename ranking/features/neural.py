"""What a cross-encoder says of query and item."""

from __future__ import annotations

import numpy as np

from core.types import Floats
from ranking.features.asked import Asked
from ranking.features.feature import Feature

SCORE = "neural.score"


class NeuralFeatures:
    """The column, empty: only the best candidates are read, so it is filled in once there is an order."""

    # `recalls`, because every search is first ranked without it: half of the training rows must lack it too.
    features = (
        Feature(
            SCORE, "score of the cross-encoder", "neural stage", "logit", "", "off, late, or not among the first", 1,
            True,
        ),
    )  # fmt: skip

    def compute(self, asked: Asked, out: Floats) -> None:
        out[:] = np.nan

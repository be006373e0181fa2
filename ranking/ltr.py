"""The learned ranker: LightGBM trees over the logged features."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptModel
from core.types import Candidate, Features, Floats


class LambdaMart:
    """A LightGBM model whose feature names must be those that are computed: anything else is refused at load."""

    def __init__(self, model: bytes, names: Sequence[str]) -> None:
        import lightgbm  # with what it imports, half a second that a start without a model needs not spend

        self._booster = lightgbm.Booster(model_str=model.decode())
        if (trained := self._booster.feature_name()) != list(names):
            gone, new = sorted(set(trained) - set(names)), sorted(set(names) - set(trained))
            raise CorruptModel(
                "ranker_features_differ",
                f"The ranking model was trained on other features (gone: {gone}, new: {new}).",
                "Reciprocal rank fusion serves meanwhile; the learner publishes a fitting model after new clicks.",
            )
        self.version = f"lambdamart-{hashlib.sha256(model).hexdigest()[:10]}"

    def score(self, candidates: Sequence[Candidate], features: Features) -> NDArray[np.float64]:
        return self.predict(features.values)

    def predict(self, values: Floats) -> NDArray[np.float64]:
        """[rows] scores for [rows, features]."""
        if not len(values):
            return np.empty(0)
        # One thread: requests run in parallel, not the trees of one.
        return np.asarray(self._booster.predict(values, num_threads=1), dtype=np.float64)

"""The learned ranker: LightGBM trees over the logged features, anchored to rank fusion.

As bytes: one line with the version of the feature schema and the weights of the anchor, then LightGBM's own text
format.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptModel
from core.types import Candidate, Contributions, Features, Floats
from ranking.anchor import Anchor
from ranking.features.feature import Schema
from ranking.trees import Trees, Unsupported, feature_names

if TYPE_CHECKING:
    from lightgbm import Booster

log = logging.getLogger(__name__)


def pack(schema: Schema, trees: str, anchor: Mapping[str, float] | None = None) -> bytes:
    """`trees`: LightGBM's text format. `anchor`: weights of arms, see ranking.anchor."""
    return f"schema {schema.version} anchor {json.dumps(dict(anchor or {}))}\n{trees}".encode()


class LambdaMart:
    """Score = trees + anchor. A model for features that are declared otherwise than those computed is
    refused at load."""

    def __init__(self, model: bytes, schema: Schema) -> None:
        line, _, trees = model.decode().partition("\n")
        head, _, anchor = line.partition(" anchor ")
        trained = feature_names(trees if head.startswith("schema ") else model.decode())
        if head != f"schema {schema.version}" or trained != list(schema.names):
            gone, new = sorted(set(trained) - set(schema.names)), sorted(set(schema.names) - set(trained))
            raise CorruptModel(
                "ranker_features_differ",
                f"The ranking model was trained on other features (gone: {gone}, new: {new}; {head or 'no schema'!r}, "
                f"computed: 'schema {schema.version}').",
                "Reciprocal rank fusion serves meanwhile; the learner publishes a fitting model after new clicks.",
            )
        self._text = trees
        self._trees = _quick(trees)
        self._anchor = Anchor(_weights(anchor), schema.names)
        self.version = f"lambdamart-{hashlib.sha256(model).hexdigest()[:10]}"

    @cached_property
    def _booster(self) -> Booster:
        """For who wants to know why: to import it takes a second or two, in which searches wait."""
        import lightgbm

        return lightgbm.Booster(model_str=self._text)

    def score(self, candidates: Sequence[Candidate], features: Features) -> NDArray[np.float64]:
        return self.predict(features.values)

    def contributions(self, candidates: Sequence[Candidate], features: Features) -> Contributions:
        """Exact Shapley values of the trees (TreeSHAP, Lundberg et al. 2020); the base is their mean output. To the
        ranks of arms comes what the anchor adds."""
        values = features.values.astype(np.float64)
        if not len(values):
            return Contributions(features.names, values, values, 0.0)
        found = np.asarray(self._booster.predict(features.values, num_threads=1, pred_contrib=True), dtype=np.float64)
        found[:, self._anchor.columns] += self._anchor.amounts(features.values)
        return Contributions(features.names, values, found[:, :-1], float(found[0, -1]))

    def predict(self, values: Floats) -> NDArray[np.float64]:
        """[rows] scores for [rows, features]."""
        if not len(values):
            return np.empty(0)
        fused = self._anchor.score(values)
        if self._trees is not None:
            return self._trees.predict(values) + fused
        # One thread: requests run in parallel, not the trees of one.
        return np.asarray(self._booster.predict(values, num_threads=1), dtype=np.float64) + fused


def _weights(anchor: str) -> dict[str, float]:
    try:
        found = json.loads(anchor or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CorruptModel(
            "ranker_of_an_earlier_version",
            f"The ranking model has no weight for each arm, but {anchor!r}.",
            "Reciprocal rank fusion serves meanwhile; the learner publishes a fitting model after new clicks.",
        )
    return found


def _quick(trees: str) -> Trees | None:
    """The same trees without LightGBM, which takes several times as long for a page; None where only it can."""
    try:
        return Trees(trees)
    except Unsupported as reason:
        log.warning("LightGBM evaluates the ranking model, because %s", reason)
        return None

"""Learning to rank from clicks: LambdaMART on logged features, with position-bias correction and a gate."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.text import query_key
from core.types import Episode, Floats
from ranking.ltr import LambdaMart
from ranking.monotone import directions

log = logging.getLogger(__name__)

# Small trees, slow steps and many rows per leaf: a few hundred distinct queries must not be learned by heart.
PARAMETERS = {
    "objective": "lambdarank",
    "label_gain": [2**label - 1 for label in range(5)],
    "lambdarank_truncation_level": 20,
    "lambdarank_position_bias_regularization": 1.0,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "monotone_constraints_method": "intermediate",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "seed": 1,
    "verbosity": -1,
}
_TREES = 300
# What the service knows of a query only because it was asked before. Half of the training rows are copies without
# these, so that the model also learns to order answers to new queries (Volkovs et al. 2017, "DropoutNet"). `arms.` sums
# over all arms, the memory included.
_HISTORY = ("memory.", "related.", "personal.", "explore.", "popular.", "behaviour.", "arms.")
_MAX_LABEL = 4
# The held-out clicks were made on pages that the current model ordered, and what was not shown has no click: an equal
# model measures slightly worse. A candidate that was trained on more may be that much worse.
NOT_WORSE_BY = 0.01


@dataclass(frozen=True, slots=True)
class _Rows:
    """One clicked episode as training rows."""

    key: str
    features: Floats
    gains: NDArray[np.float64]
    positions: NDArray[np.int64]
    examination: NDArray[np.float64]


class RankerLearner:
    """Retrains after every `retrain_every` clicked episodes, on the newest `max_episodes` of them.

    The last fifth in time is held out. A model is published only if it orders those clicks, weighted by inverse
    examination, no worse than the current model (at first: reciprocal rank fusion) does.
    """

    component = "ranker"

    def __init__(self, *, min_clicked: int, retrain_every: int, max_episodes: int) -> None:
        self._min_clicked = min_clicked
        self._retrain_every = retrain_every
        self._rows: deque[_Rows] = deque(maxlen=max_episodes)
        self._names: tuple[str, ...] | None = None
        self._since_training = 0
        self._current: LambdaMart | None = None

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            impression = episode.impression
            if len(impression.shown) < 2 or not any(gain > 0 for gain in episode.gains):
                continue
            if self._names != impression.features.names:  # the features changed: older rows no longer fit
                self._rows.clear()
                self._names, self._current = impression.features.names, None
            positions = np.arange(len(impression.shown)) + impression.first_position
            gains = np.array(episode.gains, dtype=np.float64)
            looked = np.array(episode.examination, dtype=np.float64)
            key = query_key(impression.query.text)
            self._rows.append(_Rows(key, impression.features.values, gains, positions, looked))
            self._since_training += 1

    def snapshot(self) -> bytes | None:
        due = self._since_training >= (self._retrain_every if self._current else self._min_clicked)
        if not due or self._names is None or len(self._rows) < self._min_clicked:
            return None
        self._since_training = 0
        rows = list(self._rows)
        cut = len(rows) * 4 // 5
        model = train(rows[:cut], self._names)
        candidate = LambdaMart(model, self._names)
        new, old = (debiased_ndcg(rows[cut:], scores) for scores in (candidate.predict, self._score))
        log.info("ranker %s: held-out nDCG %.4f, current %.4f", candidate.version, new, old)
        if new < old - NOT_WORSE_BY:
            return None
        self._current = candidate
        return model

    def _score(self, features: Floats) -> NDArray[np.float64]:
        assert self._names is not None
        if self._current:
            return self._current.predict(features)
        fused: NDArray[np.float64] = features[:, self._names.index("arms.rrf")].astype(np.float64)
        return fused


def train(rows: Sequence[_Rows], names: tuple[str, ...]) -> bytes:
    """LambdaMART as LightGBM's text format."""
    import lightgbm  # slow to import: see ranking.ltr

    hidden = [column for column, name in enumerate(names) if name.startswith(_HISTORY)]
    features = np.vstack([row.features for row in rows])
    unseen = features.copy()
    unseen[:, hidden] = np.nan
    labels = np.concatenate([np.clip(np.ceil(row.gains), 0, _MAX_LABEL) for row in rows])
    positions = np.concatenate([row.positions for row in rows])
    # Every query counts alike: asked a hundred times, it is not a hundred times the evidence on how to rank in general.
    asked = Counter(row.key for row in rows)
    weights = np.concatenate([np.full(len(row.gains), 1 / asked[row.key]) for row in rows])
    dataset = lightgbm.Dataset(
        np.vstack([features, unseen]),
        label=np.tile(labels, 2),
        weight=np.tile(weights / weights.mean(), 2),
        group=[len(row.gains) for row in rows] * 2,
        position=np.tile(positions, 2),
        feature_name=list(names),
        free_raw_data=True,
    )
    parameters = {**PARAMETERS, "monotone_constraints": directions(names)}
    return str(lightgbm.train(parameters, dataset, num_boost_round=_TREES).model_to_string()).encode()


def debiased_ndcg(rows: Sequence[_Rows], score: Callable[[Floats], NDArray[np.float64]]) -> float:
    """Mean nDCG of the clicked items, each weighted by 1 / examination of where it was shown (Joachims et al. 2017)."""
    values = []
    for row in rows:
        gains = np.maximum(row.gains, 0) / row.examination
        # Ties go to what was shown last: a model that cannot decide must not inherit the logged order as its own.
        order = np.lexsort((-row.positions, -score(row.features)))
        discounts = 1 / np.log2(2 + np.arange(len(gains)))
        ideal = float(np.sort(gains)[::-1] @ discounts)
        values.append(float(gains[order] @ discounts) / ideal)
    return float(np.mean(values)) if values else 0.0

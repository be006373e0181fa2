"""Judged quality through what was logged: the newest page of every rated query, ordered anew.

Only what was shown, or sampled from below the page, has features; a rating of anything else cannot be used, and the
nDCG here is that of reordering those rows.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from core.episodes import Episode
from core.text import query_key
from core.types import Floats
from ranking.features.feature import Schema
from ranking.metrics import Judgments
from ranking.training.clicks import Score
from ranking.training.rows import Doubles

_CUT = 10
_KEPT = 1_000  # queries


class JudgedPages:
    """Empty without judgments."""

    def __init__(self, judgments: Judgments, schema: Schema) -> None:
        self._ratings = {query_key(text): ratings for text, ratings in judgments.items()}
        self._schema = schema
        self._pages: OrderedDict[str, tuple[Floats, Doubles]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pages)

    def add(self, episode: Episode) -> None:
        """Clicked or not; pages on which no two ratings differ say nothing."""
        impression = episode.impression
        key = query_key(impression.query.text)
        if key not in self._ratings or impression.features.schema != self._schema.version:
            return
        gains = np.array([2.0 ** self._ratings[key].get(item_id, 0) - 1 for item_id in impression.shown])
        if len(gains) and gains.min() < gains.max():
            self._pages[key] = impression.features.values, gains
            self._pages.move_to_end(key)
            if len(self._pages) > _KEPT:
                self._pages.popitem(last=False)

    def ndcg(self, score: Score) -> float:
        """Mean nDCG@10; ties go to what was shown last."""
        found = []
        for features, gains in self._pages.values():
            order = np.lexsort((-np.arange(len(gains)), -score(features)))
            discounts = np.where(np.arange(len(gains)) < _CUT, 1 / np.log2(2 + np.arange(len(gains))), 0.0)
            found.append(float(gains[order] @ discounts) / float(np.sort(gains)[::-1] @ discounts))
        return float(np.mean(found)) if found else 0.0

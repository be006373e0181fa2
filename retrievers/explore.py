"""The explore arm: items near the query of which too little is known, so that they get a chance and we get to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log1p, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.rates import decode_rates
from core.types import Item, ItemId, Query, Scored
from retrievers.vectors.embeddings import QueryVectors
from retrievers.vectors.index import VectorIndex

_NEAR = 4  # times the asked depth are looked at
_PRIOR_GAIN, _PRIOR_STRENGTH = 0.1, 2.0
# Each further item of one category counts this much less: an exploration that repeats itself learns nothing new.
_REPEATED = 0.85


class ExploreRetriever:
    """Cosine similarity * standard deviation of the item's rate, relative to one never shown, spread over categories.

    The rate is a Beta posterior: what was looked at n times and taken g times has a mean p = (0.2 + g) / (2 + n) and a
    standard deviation of about sqrt(p (1 - p) / (3 + n)). What was never shown comes first among equally near items,
    then what was shown a little, then what is still doubtful.
    """

    name = "explore"

    def __init__(self, index: VectorIndex, query_vector: QueryVectors, items: Mapping[ItemId, Item]) -> None:
        """`index` is another arm's, which keeps it up to date; `items` is the shared table."""
        self._index = index
        self._query_vector = query_vector
        self._items = items
        self._rates = _Rates.of(None)

    def load(self, popularity: bytes | None) -> None:
        """Swap the learned rates in; None forgets them."""
        self._rates = _Rates.of(popularity)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        if not query.text.strip():
            return []
        rates, vector = self._rates, self._query_vector(query.text)
        near = self._index.nearest(vector, _NEAR * depth, query.filters)
        doubtful = [(max(hit.score, 0.0) * _doubt(rates, hit.item_id), hit.item_id) for hit in near]
        doubtful.sort(key=lambda entry: (-entry[0], entry[1]))
        return [Scored(item_id, score, why=_why(rates, item_id)) for score, item_id in self._spread(doubtful)[:depth]]

    def signals(self, query: Query) -> Mapping[str, float]:
        """How much of the catalogue was never shown, and how many items were."""
        shown, total = len(self._rates.rows), max(len(self._index), 1)
        return {"unseen": max(0.0, 1 - shown / total), "seen": log1p(shown) / 12}

    def _spread(self, found: Sequence[tuple[float, ItemId]]) -> list[tuple[float, ItemId]]:
        """Best first after every item's score has fallen with the better items of its category before it."""
        before: Counter[str] = Counter()
        lowered = []
        for score, item_id in found:
            category = _category(self._items.get(item_id))
            lowered.append((score * _REPEATED ** before[category], item_id))
            before[category] += 1
        return sorted(lowered, key=lambda entry: (-entry[0], entry[1]))


class _Rates(NamedTuple):
    """What was counted of an item is in its row."""

    rows: Mapping[ItemId, int]
    gains: NDArray[np.float32]
    examined: NDArray[np.float32]

    @classmethod
    def of(cls, popularity: bytes | None) -> _Rates:
        if popularity is None:
            return cls({}, np.zeros(0, np.float32), np.zeros(0, np.float32))
        counted = decode_rates(popularity)
        rows = dict(zip(counted.items, range(len(counted.items)), strict=True))
        return cls(rows, counted.gains, counted.examined)

    def get(self, item_id: ItemId) -> tuple[float, float] | None:
        """(gain, examined); None of an item never shown."""
        row = self.rows.get(item_id)
        return None if row is None else (float(self.gains[row]), float(self.examined[row]))


def _doubt(rates: _Rates, item_id: ItemId) -> float:
    """Standard deviation of the rate, 1 for an item never shown."""
    gain, examined = rates.get(item_id) or (0.0, 0.0)
    return _deviation(gain, examined) / _deviation(0.0, 0.0)


def _deviation(gain: float, examined: float) -> float:
    strength = _PRIOR_STRENGTH + examined
    mean = min((_PRIOR_GAIN * _PRIOR_STRENGTH + min(max(gain, 0.0), examined)) / strength, 1.0)
    return sqrt(mean * (1 - mean) / (strength + 1))


def _why(rates: _Rates, item_id: ItemId) -> str:
    if (counted := rates.get(item_id)) is None:
        return "never shown"
    gain, examined = counted
    return f"looked at {examined:.0f} times, gain {gain:.0f}: still uncertain"


def _category(item: Item | None) -> str:
    """The type, and the first of the attributes that shops group by."""
    if item is None:
        return ""
    groups = (item.attributes.get(name) for name in ("category", "genre", "brand"))
    return f"{item.type}/{next((values[0] for values in groups if values), '')}"

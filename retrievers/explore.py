"""The explore arm: items near the query of which too little is known, so that they get a chance and we get to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log1p, sqrt

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
        self._rates: Mapping[ItemId, tuple[float, float]] = {}

    def load(self, popularity: bytes | None) -> None:
        """Swap the learned rates in; None forgets them."""
        self._rates = decode_rates(popularity) if popularity else {}

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
        shown, total = len(self._rates), max(len(self._index), 1)
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


def _doubt(rates: Mapping[ItemId, tuple[float, float]], item_id: ItemId) -> float:
    """Standard deviation of the rate, 1 for an item never shown."""
    gain, examined = rates.get(item_id, (0.0, 0.0))
    return _deviation(gain, examined) / _deviation(0.0, 0.0)


def _deviation(gain: float, examined: float) -> float:
    strength = _PRIOR_STRENGTH + examined
    mean = min((_PRIOR_GAIN * _PRIOR_STRENGTH + min(max(gain, 0.0), examined)) / strength, 1.0)
    return sqrt(mean * (1 - mean) / (strength + 1))


def _why(rates: Mapping[ItemId, tuple[float, float]], item_id: ItemId) -> str:
    if item_id not in rates:
        return "never shown"
    gain, examined = rates[item_id]
    return f"looked at {examined:.0f} times, gain {gain:.0f}: still uncertain"


def _category(item: Item | None) -> str:
    """The type, and the first of the attributes that shops group by."""
    if item is None:
        return ""
    groups = (item.attributes.get(name) for name in ("category", "genre", "brand"))
    return f"{item.type}/{next((values[0] for values in groups if values), '')}"

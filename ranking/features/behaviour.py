"""How the item, and things of its type, did with people so far, over all queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from core.rates import decode_rates, posterior
from core.types import Candidate, Floats, Item, ItemId, Query

_STRENGTH = 20.0  # examinations that the prior counts for


class BehaviourFeatures:
    """`item_rate`: posterior gain per examination, the type's rate being the prior; `item_examined` as log(1 + n)."""

    names = ("behaviour.item_rate", "behaviour.item_examined", "behaviour.type_rate")

    def __init__(self, items: Mapping[ItemId, Item]) -> None:
        """`items` is kept up to date by somebody else."""
        self._items = items
        self._rates: Mapping[ItemId, tuple[float, float]] = {}
        self._type_rates: Mapping[str, float] = {}

    def load(self, popularity: bytes | None) -> None:
        self._rates = decode_rates(popularity) if popularity else {}
        self._type_rates = self._by_type()

    def compute(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        rows = []
        for candidate in candidates:
            gain, examined = self._rates.get(candidate.item.id, (0.0, 0.0))
            prior = self._type_rates.get(candidate.item.type, 0.0)
            rate = posterior(prior=prior, strength=_STRENGTH, gain=gain, examined=examined)
            rows.append((rate, np.log1p(examined), prior))
        return np.array(rows, dtype=np.float32)

    def _by_type(self) -> Mapping[str, float]:
        gains: dict[str, float] = defaultdict(float)
        examinations: dict[str, float] = defaultdict(float)
        for item_id, (gain, examined) in self._rates.items():
            if item := self._items.get(item_id):
                gains[item.type] += gain
                examinations[item.type] += examined
        return {
            kind: posterior(prior=0.0, strength=_STRENGTH, gain=gains[kind], examined=examinations[kind])
            for kind in gains
        }

"""What the catalogue says of the item itself, whatever was asked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.types import Candidate, Floats, Query


class ItemFeatures:
    """`popularity` in 0..1, `price` as log(1 + price), `price_relative` to the median candidate (log), `year`."""

    names = ("item.popularity", "item.price", "item.price_relative", "item.year")

    def compute(self, query: Query, candidates: Sequence[Candidate]) -> Floats:
        nan = float("nan")
        rows = [
            (c.item.numbers.get("popularity", nan), c.item.numbers.get("price", nan), c.item.numbers.get("year", nan))
            for c in candidates
        ]
        popularity, price, year = np.array(rows, dtype=np.float64).T
        prices = np.log1p(np.maximum(price, 0))
        known = prices[~np.isnan(prices)]
        median = float(np.median(known)) if known.size else math.nan
        return np.column_stack([popularity, prices, prices - median, year]).astype(np.float32)

"""What the catalogue says of the item itself, whatever was asked."""

from __future__ import annotations

import numpy as np

from core.types import Floats
from ranking.features.asked import Asked
from ranking.features.feature import Feature
from ranking.features.item_columns import PRICE, ItemColumns

_DAY_S = 86_400.0


class ItemFeatures:
    """Popularity, price, year and age, as far as the item has them."""

    features = (
        Feature("item.popularity", "popularity as the catalogue has it", "number `popularity`", "", "0..1", "none", 0,
                True),
        Feature("item.price", "price", "number `price`", "log(1 + price)", "0..", "none", 0, True),
        Feature("item.price_relative", "price against the median candidate", "number `price`", "log", "", "none", 0,
                True),
        Feature(
            "item.price_type", "price against the median of its type, that of a small type being drawn towards all",
            "number `price`, type", "log", "", "none", 0, True,
        ),
        Feature("item.year", "year it is of", "number `year`", "year", "", "none", 0, True),
        Feature(
            "item.age", "age when it was searched for, by the date `released`, else the newest date, else the year",
            "dates, number `year`, time of the query", "log(1 + days)", "0..", "neither dates nor year",
            0, True,
        ),
    )  # fmt: skip

    def __init__(self, columns: ItemColumns) -> None:
        """`columns` are kept up to date by somebody else."""
        self._columns = columns

    def compute(self, asked: Asked, out: Floats) -> None:
        out[0], out[1], out[4], born = asked.figures
        out[2] = asked.prices
        out[3] = asked.figures[PRICE] - self._columns.usual_prices(asked.types)
        out[5] = np.log1p(np.maximum(asked.query.time / _DAY_S - born, 0.0))

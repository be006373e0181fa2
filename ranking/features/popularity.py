"""How the item, and things of its type, did with people so far, over all queries, and how they do lately."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from core.rates import decode_rates
from core.types import Floats
from ranking.features.asked import Asked
from ranking.features.counts import Counts, Doubles
from ranking.features.feature import Feature
from ranking.features.item_columns import ItemColumns
from ranking.features.slots import Slots

_STRENGTH = 20.0  # examinations that the prior counts for
_GAIN, _EXAMINED, _TREND = range(3)
_FIGURES = 3


class PopularityFeatures:
    """Posterior gain per examination, the type's rate being the prior, and whether the item trends."""

    features = (
        Feature(
            "popularity.rate", "gain per examination of the item over all queries, the type's rate being the prior",
            "popularity model", "gain", "0..", "", 1, True,
        ),
        Feature(
            "popularity.examined", "how often it was examined, decayed", "popularity model", "log(1 + n)", "0..",
            "", 0, True,
        ),
        Feature(
            "popularity.type_rate", "gain per examination of things of its type", "popularity model", "gain", "0..", "",
            0, True,
        ),
        Feature(
            "popularity.trend", "how many more take it lately than is usual for it; 0 for what doesn't trend",
            "popularity model", "log(observed / expected)", "0..", "", 0, True,
        ),
    )  # fmt: skip

    def __init__(self, slots: Slots, columns: ItemColumns) -> None:
        """Both are kept up to date by somebody else, and `counts` by who tells of changes."""
        self.counts = Counts(slots, columns, _FIGURES, _rates)

    def load(self, model: bytes | None) -> None:
        """Swap the learned rates in; None forgets them."""
        if model is None:
            self.counts.load((), np.zeros((0, _FIGURES), dtype=np.float32))
            return
        counted = decode_rates(model)
        trends = _trends(model, len(counted.items))
        self.counts.load(counted.items, np.stack([counted.gains, counted.examined, trends], axis=1))

    def compute(self, asked: Asked, out: Floats) -> None:
        counted = self.counts.values.take(asked.slots, axis=0)
        prior = self.counts.of_types.take(asked.types)
        examined = counted[:, _EXAMINED]
        out[0] = (_STRENGTH * prior + np.maximum(counted[:, _GAIN], 0.0)) / (_STRENGTH + examined)
        out[1] = np.log1p(examined)
        out[2] = prior
        out[3] = counted[:, _TREND]


def _rates(by_type: Doubles, _total: Doubles) -> Doubles:
    """[types] gain per examination, the prior being 0."""
    rates: Doubles = np.maximum(by_type[:, _GAIN], 0.0) / (_STRENGTH + by_type[:, _EXAMINED])
    return rates


def _trends(model: bytes, count: int) -> NDArray[np.float32]:
    """[count] log of observed over expected takes, both with half a take added; 0 for what doesn't trend."""
    logs = np.zeros(count, dtype=np.float32)
    with np.load(io.BytesIO(model), allow_pickle=False) as stored:
        if "trend_items" in stored:  # not in rates alone
            takes, expected = stored["trend_counts"].astype(np.float64).T
            logs[stored["trend_items"]] = np.log((takes + 0.5) / (expected + 0.5))
    return logs

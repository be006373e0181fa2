"""How the item goes with what this customer likes."""

from __future__ import annotations

import numpy as np

from core.customer import customer_of
from core.types import Floats
from ranking.features.asked import Asked
from ranking.features.counts import Doubles
from ranking.features.feature import Feature
from ranking.features.item_columns import ItemColumns
from ranking.features.slots import UNKNOWN, Numbers
from ranking.features.vocabulary import Vocabulary
from ranking.profiles import BANDS, PRICE_BANDS, ProfilesModel, Taste

_LIFT = "log((gain + 5) / (expected + 5))"
_SOURCE, _STRANGER = "profiles model", "a customer of whom nothing is known"


class AffinityFeatures:
    """How much more, or less, this customer engages with the brand, the type and the price than everybody does, beside
    how much he or she engages at all; 0 for what was never looked at."""

    features = (
        Feature("affinity.brand", "liking of the brand", _SOURCE, _LIFT, "", f"{_STRANGER}, or no brand", 1),
        Feature("affinity.type", "liking of the type", _SOURCE, _LIFT, "", _STRANGER, 1),
        Feature("affinity.price", "liking of low, usual or high prices, among the candidates", _SOURCE, _LIFT, "",
                f"{_STRANGER}, or no price", 1),
        Feature("affinity.evidence", "what the customer's engagements gained, decayed", _SOURCE, "log(1 + gain)", "0..",
                _STRANGER),
    )  # fmt: skip

    def __init__(self, columns: ItemColumns) -> None:
        """`columns` are kept up to date by somebody else."""
        self._columns = columns
        self._model = ProfilesModel()

    def load(self, model: bytes | None) -> None:
        """Swap the learned profiles in; None forgets them."""
        self._model = ProfilesModel.load(model) if model else ProfilesModel()

    def compute(self, asked: Asked, out: Floats) -> None:
        taste = self._model.taste(customer_of(asked.query))
        if taste is None:
            out[:] = np.nan
            return
        columns = self._columns
        out[0] = np.where(asked.brands == UNKNOWN, np.nan, _lifts(taste, "brand", columns.brand_names, asked.brands))
        out[1] = _lifts(taste, "type", columns.type_names, asked.types)
        by_band = np.array([taste.lifts.get(("price", band), 0.0) for band in BANDS])
        out[2] = np.where(
            np.isnan(asked.prices),
            np.nan,
            by_band.take(np.searchsorted(PRICE_BANDS, asked.prices, "right"), mode="clip"),
        )
        out[3] = np.log1p(taste.gained)


def _lifts(taste: Taste, kind: str, names: Vocabulary, numbers: Numbers) -> Doubles:
    """[len(numbers)] the lift of each of these names."""
    by_number = np.zeros(names.size + 1)  # the last is for names that no item has now
    for (of, name), lift in taste.lifts.items():
        if of == kind:
            by_number[names.get(name)] = lift
    return by_number.take(numbers, mode="wrap")

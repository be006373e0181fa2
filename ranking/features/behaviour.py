"""What people did with the item, with things of its type, and with the item when they asked this query."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from ranking.behaviour_model import BEHAVIOUR_FIGURES, CLICKS, EXAMINED, BehaviourModel
from ranking.features.asked import Asked
from ranking.features.counts import Counts, Doubles
from ranking.features.feature import Feature
from ranking.features.item_columns import ItemColumns
from ranking.features.slots import Slots

_STRENGTH = 20.0  # examinations that a prior counts for
_QUERY_STRENGTH = 5.0  # ..., the item's rate in its rate for a query
_MODEL = "behaviour model"
_UNSEEN, _NO_TYPE, _NEW = "the item was never examined", "nothing of its type was", "a query that nobody asked"


_ACTIONS: tuple[tuple[str, Literal[-1, 1]], ...] = (("click", 1), ("purchase", 1), ("dismissal", -1))


def _rates(of: str, name: str, missing: str) -> tuple[Feature, ...]:
    return tuple(
        Feature(f"behaviour.{name}{action}s", f"{action}s per examination of {of}", _MODEL, "", "0..", missing,
                direction, True)
        for action, direction in _ACTIONS
    )  # fmt: skip


class BehaviourFeatures:
    """Posterior rates: of a type the rate over all is the prior, of an item that of its type, for a query that of the
    item. What was counted for the query alone is also told with its doubt, the standard deviation of a Beta."""

    features = (
        *_rates("the item", "", _UNSEEN),
        *_rates("things of its type", "type_", _NO_TYPE),
        Feature("behaviour.query_clicks", "clicks per examination of the item for this query", _MODEL, "", "0..1", _NEW,
                1, True),
        Feature("behaviour.query_doubt", "standard deviation of that", _MODEL, "", "0..0.5", _NEW, 0, True),
        Feature("behaviour.query_examined", "how often the item was examined for this query, decayed", _MODEL,
                "log(1 + n)", "0..", _NEW, 0, True),
    )  # fmt: skip

    def __init__(self, slots: Slots, columns: ItemColumns) -> None:
        """Both are kept up to date by somebody else, and `counts` by who tells of changes."""
        self.counts = Counts(slots, columns, BEHAVIOUR_FIGURES, _told_of_types)
        self._model = BehaviourModel()

    def load(self, model: bytes | None) -> None:
        """Swap the learned counts in; None forgets them."""
        learned = BehaviourModel.load(model) if model else BehaviourModel()
        self._model = BehaviourModel()  # while its places are those of the old one, or half new
        self.counts.load(learned.item_ids, learned.items)
        self._model = learned

    def compute(self, asked: Asked, out: Floats) -> None:
        counts = self.counts
        of_types = counts.of_types.take(asked.types, axis=0)
        own = counts.values.take(asked.slots, axis=0)
        rates = _posterior(own, of_types[:, :3])
        out[0:3] = rates.T
        out[0:3, own[:, EXAMINED] == 0] = np.nan
        out[3:6] = of_types[:, 3:].T
        self._for_query(asked, rates[:, 0], out[6:9])

    def _for_query(self, asked: Asked, prior: Doubles, out: Floats) -> None:
        """[3, candidates] mean and standard deviation of the posterior, and log examinations."""
        places = self.counts.places  # before the model: see load
        known = self._model.of_query(asked.query.text, places.take(asked.slots))
        if known is None:
            out[:] = np.nan
            return
        examined, clicks = known
        # Where people click more than is examined on average, they are seen to look at all of it.
        examined = np.maximum(examined, clicks)
        total = _QUERY_STRENGTH + examined
        mean = (_QUERY_STRENGTH * np.minimum(np.maximum(prior, 0.01), 0.99) + clicks) / total
        out[0] = mean
        out[1] = np.sqrt(mean * (1 - mean) / (total + 1))
        out[2] = np.log1p(examined)


def _told_of_types(by_type: Doubles, total: Doubles) -> Doubles:
    """[types, 6] the rates of each type, twice: as a prior, and as they are told, NaN for a type that nobody saw."""
    rates = _posterior(by_type, _posterior(total[None, :], 0.0))
    return np.hstack([rates, np.where(by_type[:, EXAMINED, None] > 0, rates, np.nan)])


def _posterior(counts: NDArray[np.floating], prior: Doubles | float) -> Doubles:
    """[rows, 3] clicks, purchases and dismissals per examination."""
    rates: Doubles = (_STRENGTH * prior + counts[:, CLICKS:]) / (_STRENGTH + counts[:, EXAMINED, None])
    return rates

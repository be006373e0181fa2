"""What people did with the item, with things of its type, and with the item when they asked this query."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from ranking.behaviour_model import CLICKS, EXAMINED, BehaviourModel
from ranking.features.asked import Asked
from ranking.features.counts import Counts, Doubles
from ranking.features.feature import Feature

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

    width = 4
    features = (
        *_rates("the item", "", _UNSEEN),
        *_rates("things of its type", "type_", _NO_TYPE),
        Feature("behaviour.query_clicks", "clicks per examination of the item for this query", _MODEL, "", "0..1", _NEW,
                1, True),
        Feature("behaviour.query_doubt", "standard deviation of that", _MODEL, "", "0..0.5", _NEW, 0, True),
        Feature("behaviour.query_examined", "how often the item was examined for this query, decayed", _MODEL,
                "log(1 + n)", "0..", _NEW, 0, True),
    )  # fmt: skip

    def __init__(self, counts: Counts) -> None:
        """`counts`, of `width` figures, follow the catalogue by themselves."""
        self._counts = counts
        self._model = BehaviourModel()

    def load(self, model: bytes | None) -> None:
        """Swap the learned counts in; None forgets them."""
        learned = BehaviourModel.load(model) if model else BehaviourModel()
        self._model = BehaviourModel()  # while its places are those of the old one, or half new
        self._counts.load(learned.item_ids, learned.items)
        self._model = learned

    def compute(self, asked: Asked, out: Floats) -> None:
        counts = self._counts
        overall = _posterior(counts.total[None, :], 0.0)
        by_type = _posterior(counts.by_type, overall).take(asked.types, axis=0)
        seen = counts.by_type[:, EXAMINED].take(asked.types) > 0
        own = counts.values.take(asked.slots, axis=0)
        rates = _posterior(own, by_type)
        out[0:3] = np.where(own[:, EXAMINED, None] > 0, rates, np.nan).T
        out[3:6] = np.where(seen[:, None], by_type, np.nan).T
        out[6:9] = self._for_query(asked, rates[:, 0])

    def _for_query(self, asked: Asked, prior: Doubles) -> Doubles:
        """[3, candidates] mean and standard deviation of the posterior, and log examinations."""
        places = self._counts.places  # before the model: see load
        known = self._model.of_query(asked.query.text, places.take(asked.slots))
        if known is None:
            return np.full((3, len(prior)), np.nan)
        examined, clicks = known
        # Where people click more than is examined on average, they are seen to look at all of it.
        examined = np.maximum(examined, clicks)
        clicked = _QUERY_STRENGTH * np.clip(prior, 0.01, 0.99) + clicks
        total = _QUERY_STRENGTH + examined
        mean = clicked / total
        return np.stack([mean, np.sqrt(mean * (1 - mean) / (total + 1)), np.log1p(examined)])


def _posterior(counts: NDArray[np.floating], prior: Doubles | float) -> Doubles:
    """[rows, 3] clicks, purchases and dismissals per examination."""
    rates: Doubles = (_STRENGTH * prior + counts[:, CLICKS:]) / (_STRENGTH + counts[:, EXAMINED, None])
    return rates

"""What customers' ratings and words say of the item, and how much of it price does not explain."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from core.text import query_tokens
from core.types import Floats, ItemId
from ranking.features.asked import Asked
from ranking.features.feature import Feature
from ranking.quality.model import QualityModel, QualityWords

_SOURCE = "customers' words and ratings: component `quality`"
_UNKNOWN = "no customer has written about it"


class _Words(NamedTuple):
    """The query's words, and which number of a term stands for which of them (a pair stands for both)."""

    words: int
    terms: dict[int, frozenset[int]]


class QualityFeatures:
    """All NaN where no customer has written about the item, or nobody has built a quality model; all but `reviews`
    where customers have only asked.

    The sentiment of a term is that of the item's reviews, above or below what is usual in its category.
    """

    features = (
        Feature(
            "quality.rating", "mean rating, drawn towards the category's", _SOURCE, "the shop's scale", "", _UNKNOWN,
        ),
        Feature("quality.reviews", "how many reviews it has", _SOURCE, "log(1 + reviews)", "0..", _UNKNOWN),
        Feature(
            "quality.residual", "quality that price does not explain", _SOURCE, "the shop's scale", "", _UNKNOWN, 1,
        ),
        Feature(
            "quality.terms", "of the query's words, those that customers praise in this item", _SOURCE, "share", "0..1",
            _UNKNOWN,
        ),
        Feature(
            "quality.sentiment", "mean sentiment of the query's words, 0 for a word that is no term of the item",
            _SOURCE, "the shop's scale", "", _UNKNOWN,
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        self._model: QualityModel | None = None

    def load(self, model: bytes | None) -> None:
        """Swap the model in; None forgets it."""
        self._model = QualityModel.decode(model) if model else None

    def words(self, item_id: ItemId) -> QualityWords | None:
        """Why the item is thought good or bad; None where no customer has written about it."""
        model = self._model
        return model.words(item_id) if model else None

    def compute(self, asked: Asked, out: Floats) -> None:
        out[:] = np.nan
        model = self._model
        if model is None:
            return
        rows = [(n, row) for n, item_id in enumerate(asked.ids) if (row := model.rows.get(item_id)) is not None]
        if not rows:
            return
        words = _words_of(asked.query.text, model)
        places, known = map(list, zip(*rows, strict=True))
        out[0, places], out[1, places] = model.rating[known], np.log1p(model.reviews[known])
        out[2, places] = model.residual[known]
        out[3:, places] = np.array([_of_words(model, row, words) for row in known]).T


def _words_of(text: str, model: QualityModel) -> _Words:
    words = query_tokens(text)
    single = {word: frozenset([n]) for n, word in enumerate(words)}
    pairs = {f"{one} {other}": frozenset([n, n + 1]) for n, (one, other) in enumerate(pairwise(words))}
    numbers = model.numbers
    return _Words(len(words), {numbers[term]: at for term, at in {**single, **pairs}.items() if term in numbers})


def _of_words(model: QualityModel, row: int, asked: _Words) -> tuple[float, float]:
    """The share of the words that are praised, and their mean sentiment, pairs before single words.

    NaN without words in the query, or without a review.
    """
    if not asked.words or not model.reviews[row]:
        return math.nan, math.nan
    if not asked.terms:
        return 0.0, 0.0
    start, stop = model.starts[row], model.starts[row + 1]
    felt: dict[int, float] = {}
    entries = zip(model.term[start:stop].tolist(), model.sentiment[start:stop].tolist(), strict=True)
    known = [(asked.terms[term], mood) for term, mood in entries if term in asked.terms and not math.isnan(mood)]
    for places, mood in sorted(known, key=lambda entry: len(entry[0])):
        felt.update(dict.fromkeys(places, mood))
    return sum(mood > 0 for mood in felt.values()) / asked.words, sum(felt.values()) / asked.words

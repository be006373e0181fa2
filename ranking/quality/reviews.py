"""All reviews of a catalogue as arrays, with what their words suggest."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from core.types import Item
from ranking.quality.texts import grams, sentences
from ranking.quality.word_weights import FOLDS, Bags, Doubles, Ints, cross_predicted, vocabulary

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reviews:
    """`item` [r] counts the given items; `rating` [r] is given, else predicted, else NaN; `words` [r] what the words
    suggest (NaN: nothing, because no review of the other folds has a rating).

    `parts` has a row for each sentence, `review` [sentences] says whose it is, `said` [sentences] what it suggests.
    """

    item: Ints
    rating: Doubles
    words: Doubles
    parts: Bags
    review: Ints
    said: Doubles
    vocabulary: dict[str, int]


def read_reviews(items: Sequence[Item], always: Collection[str] = ()) -> Reviews:
    """The reviews of these items, in their order; words of `always` are in the vocabulary, however rare."""
    of = np.array([n for n, item in enumerate(items) for _ in item.reviews], dtype=np.int64)
    given = np.array([_known(review.rating) for item in items for review in item.reviews], dtype=np.float64)
    words = vocabulary(_reviews(items, grams), always)
    split = [len(sentences(text)) for text in _reviews(items, lambda text: text)]
    review = np.repeat(np.arange(len(of)), split)
    parts = Bags.of((grams(part) for text in _reviews(items, lambda text: text) for part in sentences(text)), words)
    whole, said = cross_predicted(Bags.of(_reviews(items, grams), words), parts, given, of % FOLDS, review)
    return Reviews(of, np.where(np.isnan(given), whole, given), whole, parts, review, said, words)


def log_prices(items: Iterable[Item], number: str) -> Doubles:
    """[items] the natural logarithm of the price; NaN without one, or where it is not above 0."""
    prices = (item.numbers.get(number, math.nan) for item in items)
    return np.array([math.log(price) if price > 0 else math.nan for price in prices], dtype=np.float64)


def _reviews(items: Iterable[Item], of: Callable[[str], T]) -> Iterator[T]:
    return (of(review.text) for item in items for review in item.reviews)


def _known(rating: float | None) -> float:
    return math.nan if rating is None else rating

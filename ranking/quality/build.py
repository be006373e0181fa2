"""From the catalogue to a quality model: terms, opinions of them, ratings, and what price does not explain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import Item
from ranking.quality.model import QualityModel, TermOpinion
from ranking.quality.reviews import Reviews, log_prices, read_reviews
from ranking.quality.score import Rated, rate, residuals
from ranking.quality.sentiment import aspects
from ranking.quality.terms import Term, find_terms
from ranking.quality.texts import Source, grams, texts
from ranking.quality.word_weights import Doubles, Ints

# Terms of an item that are kept: the best, as many of the worst, and those without a sentiment.
_EITHER, _UNFELT = 10, 8


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build. `category`: the attribute whose first value is an item's category, the type where it is empty or
    the item lacks it; `price`: the number that holds the price; `terms`: the most per category, of sellers and of
    customers each; `least`: texts of the category that mention a term."""

    category: str = ""
    price: str = "price"
    terms: int = 100
    least: int = 3

    def category_of(self, item: Item) -> str:
        found = item.attributes.get(self.category) if self.category else None
        return found[0] if found else item.type


@dataclass(frozen=True, slots=True)
class Built:
    """The model, and the terms by category that it was built with."""

    model: QualityModel
    terms: Mapping[str, tuple[Term, ...]]


def build(items: Iterable[Item], recipe: Recipe) -> Built:
    """Reads `items` three times; keeps those that customers have written about."""
    terms = find_terms(items, recipe.category_of, most=recipe.terms, least=recipe.least)
    spoken = [item for item in items if item.reviews or item.questions]
    kinds = sorted({recipe.category_of(item) for item in spoken})
    category = _numbered([recipe.category_of(item) for item in spoken], kinds)
    names = {n: [term.text for term in terms.get(kind, ())] for n, kind in enumerate(kinds)}
    reviews = read_reviews(spoken, {name for found in names.values() for name in found})
    rated = ~np.isnan(reviews.rating)
    scores = rate(reviews.rating[rated], reviews.words[rated], reviews.item[rated], category)
    prices = log_prices(spoken, recipe.price)
    residual = residuals(scores.opinion, scores.reliability, prices, category)
    opinions = _opinions(spoken, reviews, category, scores.usual, names)
    return Built(_model(spoken, scores, residual, opinions, ~np.isnan(prices)), terms)


def _opinions(
    items: Sequence[Item], reviews: Reviews, category: Ints, usual: Doubles, terms: Mapping[int, Sequence[str]]
) -> list[list[TermOpinion]]:
    """Of each item, on the terms of its category that any of its texts mentions."""
    found: list[dict[str, tuple[int, float]]] = [{} for _ in items]
    words = list(reviews.vocabulary)
    mentioned = aspects(reviews, category, usual, terms)
    columns = (mentioned.item, mentioned.term, mentioned.reviews, mentioned.sentiment)
    for row, term, count, sentiment in zip(*(column.tolist() for column in columns), strict=True):
        found[row][words[term]] = count, sentiment
    wanted = {kind: {name: place for place, name in enumerate(names)} for kind, names in terms.items()}
    return [
        _of_item(item, wanted[kind], reviewed)
        for item, kind, reviewed in zip(items, category.tolist(), found, strict=True)
    ]


def _of_item(item: Item, wanted: Mapping[str, int], reviewed: Mapping[str, tuple[int, float]]) -> list[TermOpinion]:
    """The strongest sentiment first; then what no review tells, in the order of the category's terms."""
    seller, question = _mentions(item, Source.SELLER, wanted), _mentions(item, Source.QUESTION, wanted)
    made = []
    for term in sorted({*seller, *question, *reviewed}, key=wanted.__getitem__):
        count, sentiment = reviewed.get(term, (0, math.nan))
        made.append(TermOpinion(term, seller[term], count, question[term], sentiment))
    felt = sorted((each for each in made if not math.isnan(each.sentiment)), key=lambda each: each.sentiment)
    kept = felt if len(felt) <= 2 * _EITHER else [*felt[:_EITHER], *felt[-_EITHER:]]
    unfelt = [each for each in made if math.isnan(each.sentiment)]
    return [*sorted(kept, key=lambda each: -abs(each.sentiment)), *unfelt[:_UNFELT]]


def _mentions(item: Item, source: Source, wanted: Mapping[str, int]) -> Counter[str]:
    """How many of the item's texts mention each term."""
    return Counter(term for text in texts(item, source) for term in grams(text) if term in wanted)


def _model(
    items: Sequence[Item],
    scores: Rated,
    residual: Doubles,
    opinions: Sequence[list[TermOpinion]],
    priced: NDArray[np.bool_],
) -> QualityModel:
    flat = [each for found in opinions for each in found]
    names = sorted({each.term for each in flat})
    numbers = {name: n for n, name in enumerate(names)}
    return QualityModel(
        items=tuple(item.id for item in items),
        rating=scores.rating.astype(np.float32),
        reviews=np.array([len(item.reviews) for item in items], dtype=np.int32),
        residual=residual.astype(np.float32),
        priced=priced,
        terms=tuple(names),
        starts=np.concatenate([[0], np.cumsum([len(found) for found in opinions])]).astype(np.int64),
        term=np.array([numbers[each.term] for each in flat], dtype=np.int32),
        seller=np.array([each.seller for each in flat], dtype=np.int32),
        review=np.array([each.review for each in flat], dtype=np.int32),
        question=np.array([each.question for each in flat], dtype=np.int32),
        sentiment=np.array([each.sentiment for each in flat], dtype=np.float32),
    )


def _numbered(values: Sequence[str], names: Sequence[str]) -> Ints:
    numbers = {name: n for n, name in enumerate(names)}
    return np.array([numbers[value] for value in values], dtype=np.int64)

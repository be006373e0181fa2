"""Worlds with planted tastes: every customer likes three brands and one price band, everybody likes what is cheap.

The items and the words that are searched for are real where the data set chorus-icecat is at hand, else synthetic;
tastes and clicks are made up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.ingest.items import read_items, read_mapping
from benchmarks.catalogue import SyntheticItems
from benchmarks.collections import COLLECTIONS
from core.seeds import generator
from core.text import tokens
from core.types import Candidate, Item, Query, QueryId

Doubles = NDArray[np.float64]

USERS, SEARCHES, HELD_OUT = 500, 6_000, 600
PAGE, FOUND = 10, 40
EVERY_S = 60.0
CLICKS = 5  # that make somebody known
ARM = "lexical"
# What a click is made of: something for all, something for what is cheap, and what the one customer likes.
EVERYBODY, BRAND, BAND = 0.05, 0.5, 0.2
# By how much everybody likes what is cheap: where that is much, knowing the one customer brings little.
CHEAP = {"tastes differ": 0.05, "tastes agree": 0.15}
BRANDS = 20
LIKED = 3
BANDS = 3


@dataclass(frozen=True, slots=True)
class World:
    """Items by the word that finds them. A customer's tastes are a function of the seed and the name."""

    seed: int
    cheap: float
    items: Mapping[str, Sequence[Item]]
    brands: Sequence[str]

    def appeal(self, user: str, found: Sequence[Item]) -> Doubles:
        """[items] the probability of a click on what is looked at."""
        random = generator(self.seed, f"taste of {user}")
        liked = set(random.choice(self.brands, size=LIKED, replace=False).tolist())
        band = int(random.integers(BANDS))
        bands = price_bands(found)
        brand = np.array([bool(liked.intersection(item.attributes.get("brand", ()))) for item in found])
        appeal: Doubles = EVERYBODY + self.cheap * (bands == 0) + BRAND * brand + BAND * (bands == band)
        return appeal

    def search(self, number: int, user: str, time: float) -> tuple[Query, list[Candidate]]:
        """Somebody searches for a word; forty items that have it are found, in no order."""
        random = generator(self.seed, f"search {number}")
        word = str(random.choice(sorted(self.items)))
        found = self.items[word]
        rows = random.choice(len(found), size=min(FOUND, len(found)), replace=False)
        candidates = [Candidate(found[row], {ARM: n}, {ARM: 1 / n}) for n, row in enumerate(rows.tolist(), start=1)]
        return Query(QueryId(f"{self.seed}-{number}"), word, time, user_id=user), candidates


def world(items: Sequence[Item], cheap: float, seed: int) -> World:
    """Words that are in forty to a thousand titles, thirty of them, and the brands that are most common there."""
    having = defaultdict(list)
    for item in items:
        for word in {word for word in tokens(item.fields.get("title", "")) if word.isalpha() and len(word) > 3}:
            having[word].append(item)
    common = sorted(word for word, found in having.items() if FOUND <= len(found) <= 1_000)
    words = generator(seed, "words").choice(common, size=30, replace=False).tolist()
    brands = Counter(brand for word in words for item in having[word] for brand in item.attributes.get("brand", ()))
    liked = [brand for brand, _ in brands.most_common(BRANDS)]
    return World(seed, cheap, {word: having[word] for word in words}, liked)


def catalogue() -> tuple[list[Item], str]:
    """Items, and what they are."""
    chorus = COLLECTIONS["chorus"]
    if not chorus.file.is_file():
        return SyntheticItems(20_000, 1)[:], "synthetic items"
    read = read_items(chorus.file, read_mapping(chorus.mapping))
    return [item for item in read if isinstance(item, Item)], "items of chorus-icecat"


def looked(count: int) -> Doubles:
    """[count] the probability that each place is looked at, as learners take it that people look."""
    chance: Doubles = 1 / np.log2(2 + np.arange(count))
    return chance


def price_bands(found: Sequence[Item]) -> NDArray[np.intp]:
    """[found] 0 for the cheapest third of them, 2 for the dearest."""
    prices = np.array([item.numbers.get("price", 0.0) for item in found])
    return np.searchsorted(np.quantile(prices, [1 / 3, 2 / 3]), prices)


def ndcg(scores: Doubles, appeal: Doubles) -> float:
    """At 10; the gain is what truly appeals."""
    discounts = looked(PAGE)
    best = np.sort(appeal)[::-1][:PAGE] @ discounts
    return float(appeal[np.argsort(-scores, kind="stable")][:PAGE] @ discounts / best)

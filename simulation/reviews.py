"""What simulated customers write of items, and how much these please: both follow from what the items are like."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.seeds import generator
from core.types import Item, Review

_FEWEST, _MOST = 4, 7  # reviews of an item
_SPOKEN_OF = 2  # aspects, by each review


@dataclass(frozen=True, slots=True)
class Aspect:
    """Something that items of these types are good or bad at, and how listeners say so."""

    types: frozenset[str]
    praise: tuple[str, ...]
    complaint: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reviewers:
    """The truth of each item is drawn by its id: it is the same in every run, and for whoever asks."""

    aspects: Sequence[Aspect]

    @classmethod
    def read(cls, toml: str) -> Reviewers:
        found = tomllib.loads(toml)["aspect"]
        return cls([Aspect(frozenset(a["types"]), tuple(a["praise"]), tuple(a["complaint"])) for a in found])

    def pleases(self, item: Item) -> float | None:
        """The share of its listeners who like the item once they have heard it; None where nobody reviews its type."""
        goodness = self._goodness(item)
        return float(goodness.mean()) if len(goodness) else None

    def reviewed(self, items: Iterable[Item]) -> list[Item]:
        """The items, those of a reviewed type with reviews and ratings from 1 to 5."""
        return [replace(item, reviews=self._reviews(item)) for item in items]

    def _of(self, item: Item) -> list[Aspect]:
        return [aspect for aspect in self.aspects if item.type in aspect.types]

    def _goodness(self, item: Item) -> NDArray[np.float64]:
        """[aspects] the share of listeners who are content with each; items differ as a whole, too."""
        random = generator(0, "what an item is like", item.id)
        return np.clip(random.uniform(0.2, 0.8) + random.uniform(-0.3, 0.3, len(self._of(item))), 0.05, 0.95)

    def _reviews(self, item: Item) -> tuple[Review, ...]:
        aspects, goodness = self._of(item), self._goodness(item)
        if not aspects:
            return item.reviews
        random = generator(0, "reviews", item.id)
        return tuple(_review(aspects, goodness, random) for _ in range(random.integers(_FEWEST, _MOST + 1)))


def _review(aspects: Sequence[Aspect], goodness: NDArray[np.float64], random: np.random.Generator) -> Review:
    """Praise or complaint of two aspects, and the rating that follows, give or take one."""
    spoken = random.choice(len(aspects), size=_SPOKEN_OF, replace=False)
    content = random.random(_SPOKEN_OF) < goodness[spoken]
    said = [
        random.choice(aspects[row].praise if good else aspects[row].complaint)
        for row, good in zip(spoken, content, strict=True)
    ]
    rating = round(1 + 4 * float(content.mean())) + int(random.integers(-1, 2))
    return Review(" ".join(said), float(min(5, max(1, rating))))

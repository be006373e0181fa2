"""A synthetic catalogue of any size with a realistic vocabulary: drawn at once, made into items when looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from core.seeds import generator
from core.types import Item, ItemId

_WORDS = 60_000
_BRANDS, _KINDS, _COLOURS = slice(1_000, 3_000), slice(200, 250), slice(0, 12)
_TITLE, _REST = 6, 18  # words of an item beside brand and kind: the first of them are in its title


class SyntheticItems(Sequence[Item]):
    """Products: a brand, a type and words of a Zipf vocabulary of 60,000 in the title, more in the description.

    Holds the numbers of the words, 80 bytes an item, so that a million items are at hand in 100 MB. Item n is `s{n}`.
    """

    def __init__(self, count: int, seed: int) -> None:
        random = generator(seed, "synthetic")
        self._words = vocabulary(_WORDS, random)
        self._brands, self._kinds = self._words[_BRANDS], self._words[_KINDS]
        self._brand, self._kind = (_zipf(random, len(names), (count,)) for names in (self._brands, self._kinds))
        self._rest = _zipf(random, len(self._words), (count, _REST))
        self._colour = random.integers(_COLOURS.stop, size=count)
        self._price = random.integers(5, 2_000, size=count)

    def __len__(self) -> int:
        return len(self._price)

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...
    def __getitem__(self, at: int | slice) -> Item | list[Item]:
        if isinstance(at, slice):
            return [self._item(n) for n in range(*at.indices(len(self)))]
        return self._item(range(len(self))[at])

    def _item(self, n: int) -> Item:
        brand, kind = self._brands[self._brand[n]], self._kinds[self._kind[n]]
        rest = [self._words[word] for word in self._rest[n].tolist()]
        return Item(
            ItemId(f"s{n}"),
            kind,
            {"title": " ".join([brand, kind, *rest[:_TITLE]]), "description": " ".join(rest[_TITLE:])},
            {"brand": (brand,), "colour": (self._words[self._colour[n]],)},
            {"price": float(self._price[n])},
        )


class ItemsById(Mapping[ItemId, Item]):
    """The same items as a table by id, which is what arms look items up in."""

    def __init__(self, items: SyntheticItems) -> None:
        self._items = items

    def __getitem__(self, item_id: ItemId) -> Item:
        return self._items[row_of(item_id)]

    def __iter__(self) -> Iterator[ItemId]:
        return (ItemId(f"s{n}") for n in range(len(self._items)))

    def __len__(self) -> int:
        return len(self._items)


def row_of(item_id: ItemId) -> int:
    return int(item_id[1:])


def title_queries(items: Sequence[Item], count: int, seed: int) -> list[str]:
    """Two to four words of a title each, in any order."""
    random = generator(seed, "synthetic-queries")
    texts = []
    for _ in range(count):
        words = items[int(random.integers(len(items)))].fields["title"].split()
        texts.append(" ".join(random.permutation(words)[: int(random.integers(2, 5))]))
    return texts


def vocabulary(count: int, random: np.random.Generator) -> list[str]:
    """Distinct made-up words of two to four syllables."""
    syllables = [a + b for a in "bcdfghjklmnprstvz" for b in "aeiou"]
    lengths = random.integers(2, 5, size=2 * count)
    made = dict.fromkeys("".join(syllables[int(s)] for s in random.integers(len(syllables), size=n)) for n in lengths)
    return list(made)[:count]


def _zipf(random: np.random.Generator, count: int, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Ranks below `count`, each with a probability of about 1 / (rank + 1)."""
    drawn = count ** random.random(shape)
    return np.minimum(drawn.astype(np.int32) - 1, count - 1)

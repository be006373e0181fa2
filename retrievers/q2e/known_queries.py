"""The queries that were learned, by spelling, by meaning and by word: which others are near a new one?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.pace import unhurried
from core.types import Floats
from retrievers.ascending import frequent

NEIGHBOURS = 5
# Only queries that mean the same, spelt or put a little differently: `ps4 games` and `ps4` are near for the encoder
# (0.85) and want other things, and what is lent to the wrong query misleads as surely as what it learned itself.
_COSINE_FLOOR = 0.9
_TRIGRAM_FLOOR = 0.6
_CELLS_LOOKED = 4
_HEAD = 96  # of a vector's dimensions
Places = NDArray[np.integer[Any]]  # of two bytes where that is enough: most of the time goes into reading them
_NONE = np.empty(0, dtype=np.uint16)


class _Cell(NamedTuple):
    """Some of the queries: their places, and the gists of their vectors, side by side."""

    places: Places
    gists: Floats

    def and_(self, places: Places, gists: Floats) -> _Cell:
        return _Cell(np.concatenate([self.places, places]), np.concatenate([self.gists, gists]))


class KnownQueries:
    """Only grows, by one thread while others look. A look-up compares with the queries in the nearest cells.

    A cell holds the queries that are nearest to its centre; the centres, about twice the root of their number, are some
    of the first queries. Near-duplicates are nearly always in a cell next to each other's.
    """

    def __init__(self, keys: Sequence[str], vectors: Floats) -> None:
        """The keys in place order; `vectors`: [len(keys), dimension]."""
        self.places: dict[str, int] = {}
        self._keys: list[str] = []
        self._trigrams: dict[str, Places] = {}
        self._trigram_counts = np.empty(0, dtype=np.int32)
        self._words: dict[str, Places] = {}
        self._centres = vectors[:: max(1, int(len(keys) ** 0.5 / 2))].copy()
        self._cells = [_Cell(_NONE, _gists(vectors[:0]))] * len(self._centres)
        self._vectors = vectors[:0].copy()
        self.first = len(keys)
        self.add(keys, vectors)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def vectors(self) -> Floats:
        """[len, dimension]"""
        return self._vectors[: len(self)]

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Take in keys that are not there."""
        if not keys:
            return
        first = len(self._keys)
        trigrams = [_trigrams(key) for key in keys]
        # What the lists of places lead to comes before the lists, for those who look meanwhile.
        self._trigram_counts = np.concatenate([self._trigram_counts, np.array([*map(len, trigrams)], dtype=np.int32)])
        self._vectors = np.concatenate([self._vectors, vectors])
        self._keys.extend(keys)
        self.places.update(zip(keys, range(first, first + len(keys)), strict=True))
        _extend(self._trigrams, trigrams, first)
        _extend(self._words, [set(key.split()) for key in keys], first)
        cells = np.argmax(vectors @ self._centres.T, axis=1)
        for cell in np.unique(cells).tolist():
            new = np.flatnonzero(cells == cell)
            self._cells[cell] = self._cells[cell].and_(
                (first + new).astype(_kind(len(self._keys))), _gists(vectors[new])
            )

    def near(self, key: str, vector: Floats) -> dict[str, float]:
        """At most NEIGHBOURS other queries, near in spelling or in meaning: key -> closeness in 0..1."""
        found: dict[int, float] = {}
        for place, closeness in (*self._spelt(key), *self._meant(vector)):
            found[place] = max(found.get(place, 0.0), closeness)
        found.pop(self.places.get(key, -1), None)
        if not found:
            return {}
        best = nlargest(NEIGHBOURS, found.items(), key=lambda entry: (entry[1], -entry[0]))
        return {self._keys[place]: min(closeness, 1.0) for place, closeness in best}

    def with_word(self, word: str, most: int) -> Places:
        """Of the newest queries that have the word."""
        return self._words.get(word, _NONE)[-most:]

    def _spelt(self, key: str) -> Iterable[tuple[int, float]]:
        mine = _trigrams(key)
        lists = [places for trigram in mine if (places := self._trigrams.get(trigram)) is not None]
        # The Jaccard index is at or below the floor where no more than that share of these are shared.
        least = int(_TRIGRAM_FLOOR * len(mine)) + 1
        if len(lists) < least:
            return ()
        held = np.concatenate(lists)
        held.sort()  # faster than counting for every place there is
        places, both = frequent(held, least)
        closeness = (both / (len(mine) + self._trigram_counts[places] - both) - _TRIGRAM_FLOOR) / (1 - _TRIGRAM_FLOOR)
        near = closeness > 0
        return zip(places[near].tolist(), closeness[near].tolist(), strict=True)

    def _meant(self, vector: Floats) -> Iterable[tuple[int, float]]:
        looked = min(_CELLS_LOOKED, len(self._cells))
        nearest = (self._centres @ vector).argpartition(-looked)[-looked:]
        cells, gist = [self._cells[cell] for cell in nearest.tolist()], _gists(vector)
        highest = np.concatenate([gists @ gist for _, gists in cells])
        if highest.max(initial=0.0) <= _COSINE_FLOOR:
            return ()
        places = np.concatenate([places for places, _ in cells])[highest > _COSINE_FLOOR]
        cosines = self._vectors.take(places, axis=0) @ vector
        closeness = (cosines - _COSINE_FLOOR) / (1 - _COSINE_FLOOR)
        near = closeness > 0
        return zip(places[near].tolist(), closeness[near].tolist(), strict=True)


def followed(
    known: KnownQueries, keys: Sequence[str], encode: Callable[[Sequence[int]], Floats], dimension: int
) -> KnownQueries:
    """The queries known so far and these; without those of before when they are the most.

    `encode` makes the vectors, [n, dimension], of the keys at some places.
    """
    new = [place for place, key in enumerate(keys) if key not in known.places]
    vectors = encode(new)
    if len(known) + len(new) <= 2 * min(len(keys), known.first):
        known.add([keys[place] for place in new], vectors)
        return known
    every = np.empty((len(keys), dimension), dtype=np.float32)
    every[new] = vectors
    old = [place for place, key in enumerate(keys) if key in known.places]
    every[old] = known.vectors[[known.places[keys[place]] for place in old]]
    return KnownQueries(keys, every)


def _gists(vectors: Floats) -> Floats:
    """[..., _HEAD + 1] of vectors of length 1: their heads, and the lengths of the rests.

    The product of two is no less than that of the vectors (Cauchy and Schwarz): nearly all that are far are told from a
    quarter of what there is to read.
    """
    heads = vectors[..., :_HEAD]
    gists = np.empty((*heads.shape[:-1], heads.shape[-1] + 1), dtype=np.float32)
    gists[..., :-1], gists[..., -1] = heads, np.sqrt(np.maximum(1 - np.vecdot(heads, heads), 0))
    return gists


def _extend(lists: dict[str, Places], names: Sequence[set[str]], first: int) -> None:
    """Append the place of each set, counted from `first`, to the lists of its names."""
    new: dict[str, list[int]] = {}
    for place, found in enumerate(names, start=first):
        for name in found:
            new.setdefault(name, []).append(place)
    kind = _kind(first + len(names))
    for name, places in unhurried(new.items()):
        lists[name] = np.concatenate([lists.get(name, _NONE), np.array(places, dtype=kind)])


def _trigrams(key: str) -> set[str]:
    padded = f"  {key} "
    return {padded[n : n + 3] for n in range(len(padded) - 2)}


def _kind(count: int) -> type[np.integer[Any]]:
    """What so many places are numbered by."""
    return np.uint16 if count - 1 <= np.iinfo(np.uint16).max else np.int32

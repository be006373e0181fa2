"""The queries that were learned, by spelling, by meaning and by word: which others are near a new one?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from core.types import Floats

NEIGHBOURS = 5
# Only queries that mean the same, spelt or put a little differently: `ps4 games` and `ps4` are near for the encoder
# (0.85) and want other things, and what is lent to the wrong query misleads as surely as what it learned itself.
_COSINE_FLOOR = 0.9
_TRIGRAM_FLOOR = 0.6
_CELLS_LOOKED = 4
Ints = NDArray[np.int32]
_NONE = np.empty(0, dtype=np.int32)


class KnownQueries:
    """Only grows, by one thread while others look. A look-up compares with the queries in the nearest cells.

    A cell holds the queries that are nearest to its centre; the centres, about twice the root of their number, are some
    of the first queries. Near-duplicates are nearly always in a cell next to each other's.
    """

    def __init__(self, keys: Sequence[str], vectors: Floats) -> None:
        """The keys in place order; `vectors`: [len(keys), dimension]."""
        self.places: dict[str, int] = {}
        self.vectors = np.empty((0, vectors.shape[1]), dtype=np.float32)
        self._keys: list[str] = []
        self._trigrams: dict[str, Ints] = {}
        self._trigram_counts: Ints = _NONE
        self._words: dict[str, Ints] = {}
        self._centres = vectors[:: max(1, int(len(keys) ** 0.5 / 2))].copy()
        # Per cell the places of its queries, and their vectors once more: side by side they are read in no time.
        self._cells: list[tuple[Ints, Floats]] = [(_NONE, self.vectors)] * len(self._centres)
        self.first = len(keys)
        self.add(keys, vectors)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Take in keys that are not there."""
        if not keys:
            return
        first = len(self._keys)
        trigrams = [_trigrams(key) for key in keys]
        # What the lists of places lead to comes before the lists, for those who look meanwhile.
        self.vectors = np.concatenate([self.vectors, vectors])
        self._trigram_counts = np.concatenate([self._trigram_counts, np.array([*map(len, trigrams)], dtype=np.int32)])
        self._keys.extend(keys)
        self.places.update(zip(keys, range(first, first + len(keys)), strict=True))
        _extend(self._trigrams, trigrams, first)
        _extend(self._words, [set(key.split()) for key in keys], first)
        cells = np.argmax(vectors @ self._centres.T, axis=1)
        for cell in np.unique(cells).tolist():
            new, (places, there) = np.flatnonzero(cells == cell), self._cells[cell]
            self._cells[cell] = (
                np.concatenate([places, first + new], dtype=np.int32),
                np.concatenate([there, vectors[new]]),
            )

    def near(self, key: str, vector: Floats) -> dict[str, float]:
        """At most NEIGHBOURS other queries, near in spelling or in meaning: key -> closeness in 0..1."""
        found: dict[int, float] = {}
        for place, closeness in (*self._spelt(key), *self._meant(vector)):
            found[place] = max(found.get(place, 0.0), closeness)
        found.pop(self.places.get(key, -1), None)
        best = nlargest(NEIGHBOURS, found.items(), key=lambda entry: (entry[1], -entry[0]))
        return {self._keys[place]: min(closeness, 1.0) for place, closeness in best}

    def with_word(self, word: str, most: int) -> list[str]:
        """Keys of the newest queries that have the word."""
        return [self._keys[place] for place in self._words.get(word, _NONE)[-most:].tolist()]

    def _spelt(self, key: str) -> Iterable[tuple[int, float]]:
        mine = _trigrams(key)
        lists = [self._trigrams[trigram] for trigram in mine if trigram in self._trigrams]
        if not lists:
            return ()
        shared = np.bincount(np.concatenate(lists))
        # The Jaccard index is below the floor where fewer than that share of these are shared.
        places = np.flatnonzero(shared > _TRIGRAM_FLOOR * len(mine))
        both = shared[places]
        closeness = (both / (len(mine) + self._trigram_counts[places] - both) - _TRIGRAM_FLOOR) / (1 - _TRIGRAM_FLOOR)
        near = closeness > 0
        return zip(places[near].tolist(), closeness[near].tolist(), strict=True)

    def _meant(self, vector: Floats) -> Iterable[tuple[int, float]]:
        found: list[tuple[int, float]] = []
        for cell in np.argsort(-(self._centres @ vector))[:_CELLS_LOOKED].tolist():
            places, vectors = self._cells[cell]
            closeness = (vectors @ vector - _COSINE_FLOOR) / (1 - _COSINE_FLOOR)
            near = np.flatnonzero(closeness > 0)
            if len(near):
                found += zip(places[near].tolist(), closeness[near].tolist(), strict=True)
        return found


def _extend(lists: dict[str, Ints], names: Sequence[set[str]], first: int) -> None:
    """Append the place of each set, counted from `first`, to the lists of its names."""
    new: dict[str, list[int]] = {}
    for place, found in enumerate(names, start=first):
        for name in found:
            new.setdefault(name, []).append(place)
    for name, places in new.items():
        lists[name] = np.concatenate([lists.get(name, _NONE), np.array(places, dtype=np.int32)])


def _trigrams(key: str) -> set[str]:
    padded = f"  {key} "
    return {padded[n : n + 3] for n in range(len(padded) - 2)}

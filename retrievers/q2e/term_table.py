"""Words and the items predicted for them, both ways round, following the catalogue change by change."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import Floats, ItemId
from retrievers.q2e.predicted import MAX_TERMS, ItemTerms

Ints = NDArray[np.int32]
_NONE = np.empty(0, dtype=np.int32)
# A word's champions are all of its items up to _MOST; then the best _KEPT, and what has come since. The lists of words
# that have lost _LOST of them are made again.
_KEPT, _MOST, _LOST = 400, 800, 200
_LEAST_POPULAR = 0.75  # to 1.25 for the most popular
_ARRAYS = ("words", "weights", "title", "quality", "ties")


class TermTable:
    """Every item has a slot, every word a number from 1 on; 0 is no word. Not thread-safe.

    [slots, MAX_TERMS]: `words` by number and `weights`, as in ItemTerms. [slots]: `title`, how many of the entries are
    the title's; `quality`, the part of a belief that no query changes; `ties`, see `tie`. `counts`: items by word
    number. Words are never forgotten, slots are used again.
    """

    def __init__(self) -> None:
        self.words: Ints = np.zeros((0, MAX_TERMS), dtype=np.int32)
        self.weights = np.zeros((0, MAX_TERMS), dtype=np.float16)
        self.title: Ints = np.zeros(0, dtype=np.int32)
        self.quality = np.zeros(0, dtype=np.float32)
        self.ties = np.zeros(0, dtype=np.int64)
        self.counts = np.zeros(1, dtype=np.int64)
        self.ids: list[ItemId | None] = []
        self.slots: dict[ItemId, int] = {}
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []
        self._lost: dict[int, int] = {}
        self._changed: dict[int, Ints] = {}  # champions; those of other words are as they were restored
        self._stored, self._starts = _NONE, np.zeros(1, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.slots)

    def number(self, word: str) -> int:
        """0 for an unknown word."""
        return self._numbers.get(word, 0)

    def champions(self, number: int) -> Ints:
        """Slots of the best items that have the word, at most _MOST, in no particular order."""
        found = self._changed.get(number)
        if found is None:
            known = number < len(self._starts) - 1
            found = self._stored[self._starts[number] : self._starts[number + 1]] if known else _NONE
        return found

    def remove(self, item_ids: Collection[ItemId], *, replaced: bool = False) -> None:
        """Forget these items; unknown ids are no error. `replaced`: they are added again right after."""
        gone = [self.slots.pop(item_id) for item_id in item_ids if item_id in self.slots]
        if not gone:
            return
        dead = np.zeros(len(self.ids), dtype=bool)
        dead[gone] = True
        held = self.words[gone]
        numbers, counts = np.unique(held[held > 0], return_counts=True)
        self.counts[numbers] -= counts
        self.words[gone] = 0
        for slot in gone:
            self.ids[slot] = None
        self._free += gone
        for number in numbers.tolist():
            before = self.champions(number)
            left = before[~dead[before]]
            self._changed[number] = left
            if not replaced and len(left) < self.counts[number]:
                self._lost[number] = self._lost.get(number, 0) + len(before) - len(left)
                if self._lost[number] > _LOST:
                    self._refill(number)

    def add(self, items: Mapping[ItemId, ItemTerms]) -> None:
        """Take in items that are not there."""
        self._grow(len(items))
        new: dict[int, list[int]] = {}
        for item_id, terms in items.items():
            slot = self._free.pop()
            self.slots[item_id], self.ids[slot] = slot, item_id
            numbers = [self._number(word) for word in terms.words]
            self.words[slot, : len(numbers)], self.weights[slot, : len(numbers)] = numbers, terms.weights
            self.title[slot], self.ties[slot] = terms.title, tie(item_id)
            popular = _LEAST_POPULAR + 2 * (1 - _LEAST_POPULAR) * terms.popularity
            self.quality[slot] = popular / titled_share(terms.title_words)
            for number in numbers:
                if number:
                    new.setdefault(number, []).append(slot)
        self.counts = _padded(self.counts, len(self._numbers) + 1)
        for number, slots in new.items():
            self.counts[number] += len(slots)
            together = np.concatenate([self.champions(number), np.array(slots, dtype=np.int32)])
            self._changed[number] = self._trimmed(number, together)

    def save(self, folder: Path) -> None:
        for number in list(self._lost):
            self._refill(number)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        champions = [self.champions(number) for number in range(len(self._numbers) + 1)]
        np.save(folder / "champions.npy", np.concatenate(champions))
        np.save(folder / "starts.npy", np.cumsum([0, *map(len, champions)]))
        np.save(folder / "counts.npy", self.counts)
        (folder / "names.json").write_text(json.dumps({"ids": self.ids, "words": list(self._numbers)}), "utf-8")

    def restore(self, folder: Path) -> None:
        for name in (*_ARRAYS, "counts"):
            setattr(self, name, np.load(folder / f"{name}.npy"))
        self._stored, self._starts = np.load(folder / "champions.npy"), np.load(folder / "starts.npy")
        names = json.loads((folder / "names.json").read_text("utf-8"))
        self.ids = names["ids"]
        self.slots = {item_id: slot for slot, item_id in enumerate(self.ids) if item_id is not None}
        self._free = [slot for slot, item_id in enumerate(self.ids) if item_id is None]
        self._numbers = {word: number for number, word in enumerate(names["words"], start=1)}

    def _refill(self, number: int) -> None:
        every = np.flatnonzero(self.words.ravel() == number) // MAX_TERMS
        self._changed[number] = self._trimmed(number, every.astype(np.int32))
        del self._lost[number]

    def _trimmed(self, number: int, slots: Ints) -> Ints:
        """All of them, or the best _KEPT of more than _MOST."""
        if len(slots) <= _MOST:
            return slots
        column = (self.words[slots] == number).argmax(axis=1)
        titled = titled_share(column < self.title[slots])
        alone: Floats = self.weights[slots, column] * titled * self.quality[slots]
        return slots[np.lexsort((self.ties[slots], -alone))[:_KEPT]]

    def _number(self, word: str) -> int:
        return self._numbers.setdefault(word, len(self._numbers) + 1) if word else 0

    def _grow(self, items: int) -> None:
        """Make room for so many more; in steps of an eighth, so that growing costs little on the whole."""
        if items <= len(self._free):
            return
        old, size = len(self.ids), len(self.ids) + max(items - len(self._free), len(self.ids) // 8)
        for name in _ARRAYS:
            setattr(self, name, _padded(getattr(self, name), size))
        self.ids += [None] * (size - old)
        self._free += range(size - 1, old - 1, -1)


def titled_share(words: NDArray[Any] | int) -> Any:
    """How much it is to say so many words in the title, or for a title to have them.

    To the power of a quarter: long titles are no worse answers, only less sure ones.
    """
    return np.sqrt(np.sqrt(words + np.float32(0.5)))


def tie(item_id: ItemId) -> int:
    """Orders equally good items: fixed by the id, but not alphabetical, since ids often go by brand or by date."""
    return int.from_bytes(blake2b(item_id.encode(), digest_size=8).digest(), signed=True)


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    return np.concatenate([values, np.zeros((size - len(values), *values.shape[1:]), dtype=values.dtype)])

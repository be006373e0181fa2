"""Words and the items predicted for them, both ways round, following the catalogue change by change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import ItemId
from retrievers.q2e.predicted import MAX_TERMS, ItemTerms

Ints = NDArray[np.int32]
Rows = NDArray[Any]
# One predicted word of one item; `following` is the number of the next word of the title's phrase, 0 for none.
ROW = np.dtype([("slot", "<i4"), ("weight", "<f4"), ("following", "<i4"), ("titled", "?")])
_NO_ROWS = np.empty(0, dtype=ROW)


class TermTable:
    """Every item has a slot, every word a number from 1 on. Not thread-safe.

    `words`: [slots, MAX_TERMS] word numbers, 0 where there are no more. `counts`: items by word number. Words are never
    forgotten, slots are used again. `ties`: `tie` by slot.
    """

    def __init__(self) -> None:
        self.words: Ints = np.zeros((0, MAX_TERMS), dtype=np.int32)
        self.counts: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self.title_lengths = np.zeros(0, dtype=np.float32)
        self.popularity = np.zeros(0, dtype=np.float32)
        self.ties = np.zeros(0, dtype=np.int64)
        self.ids: list[ItemId | None] = []
        self.slots: dict[ItemId, int] = {}
        self._numbers: dict[str, int] = {}
        self._rows: list[Rows] = [_NO_ROWS]
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self.slots)

    def number(self, word: str) -> int:
        """0 for an unknown word."""
        return self._numbers.get(word, 0)

    def rows(self, number: int) -> Rows:
        """ROWs of the items predicted for the word."""
        return self._rows[number]

    def remove(self, item_ids: Collection[ItemId]) -> None:
        """Forget these items; unknown ids are no error."""
        gone = [self.slots.pop(item_id) for item_id in item_ids if item_id in self.slots]
        if not gone:
            return
        dead = np.zeros(len(self.ids), dtype=bool)
        dead[gone] = True
        for number in np.unique(self.words[gone]).tolist():
            rows = self._rows[number]
            self._rows[number] = rows[~dead[rows["slot"]]]
            self.counts[number] = len(self._rows[number])
        self.words[gone] = 0
        for slot in gone:
            self.ids[slot] = None
        self._free += gone

    def add(self, items: Mapping[ItemId, ItemTerms]) -> None:
        """Take in items that are not there."""
        self._grow(len(items))
        new: dict[int, list[tuple[int, float, int, bool]]] = {}
        for item_id, known in items.items():
            slot = self._free.pop()
            self.slots[item_id], self.ids[slot] = slot, item_id
            self.title_lengths[slot], self.popularity[slot] = known.title_length, known.popularity
            self.ties[slot] = tie(item_id)
            numbers = [self._number(term.token) for term in known.terms]
            self.words[slot, : len(numbers)] = numbers
            for number, term in zip(numbers, known.terms, strict=True):
                following = self._number(term.following) if term.following else 0
                new.setdefault(number, []).append((slot, term.weight, following, term.titled))
        self._extend(new)

    def _extend(self, new: Mapping[int, list[tuple[int, float, int, bool]]]) -> None:
        self.counts = _padded(self.counts, len(self._rows))
        for number, rows in new.items():
            self._rows[number] = np.concatenate([self._rows[number], np.array(rows, dtype=ROW)])
            self.counts[number] = len(self._rows[number])

    def _number(self, word: str) -> int:
        number = self._numbers.setdefault(word, len(self._rows))
        if number == len(self._rows):
            self._rows.append(_NO_ROWS)
        return number

    def _grow(self, items: int) -> None:
        """Make room for so many more; in steps of an eighth, so that growing costs little on the whole."""
        if items <= len(self._free):
            return
        old, size = len(self.ids), len(self.ids) + max(items - len(self._free), len(self.ids) // 8)
        self.words = np.concatenate([self.words, np.zeros((size - old, MAX_TERMS), dtype=np.int32)])
        self.title_lengths = _padded(self.title_lengths, size)
        self.popularity = _padded(self.popularity, size)
        self.ties = _padded(self.ties, size)
        self.ids += [None] * (size - old)
        self._free += range(size - 1, old - 1, -1)


def tie(item_id: ItemId) -> int:
    """Orders equally good items: fixed by the id, but not alphabetical, since ids often go by brand or by date."""
    return int.from_bytes(blake2b(item_id.encode(), digest_size=8).digest(), signed=True)


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    return np.concatenate([values, np.zeros(size - len(values), dtype=values.dtype)])

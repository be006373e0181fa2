"""The words and letter trigrams of every item, as numbers in arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from core.long_json import write_list
from core.pace import unhurried
from core.types import Item
from ranking.features.ragged import Ragged
from ranking.features.said import LABELS, PROSE, distinct, labels, said, text_hash, title_hash, trigrams
from ranking.features.slots import Numbers, grown
from ranking.features.vocabulary import Vocabulary

_COLUMNS = ("frequency", "lengths", "titles", "voiced", "texts")
_Lengths = NDArray[np.int64]


class Words:
    """By slot: distinct words with where they are, distinct trigrams of the title, its length and its hash, whether
    customers wrote about the item; and a hash of the texts that this was made of."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._frequency = np.zeros(0, dtype=np.int32)
        self.words = Ragged(np.int32, np.uint16)
        self.trigrams = Ragged(np.uint16)
        self.lengths = np.zeros(0, dtype=np.int32)
        self.titles = np.zeros(0, dtype=np.uint64)
        self.voiced = np.zeros(0, dtype=bool)
        self._texts = np.zeros(0, dtype=np.uint64)

    def number(self, word: str) -> int:
        """UNKNOWN when no item has it."""
        return self._vocabulary.get(word)

    def frequency(self, number: int) -> int:
        """How many items have the word in their text fields, type or attributes."""
        return int(self._frequency[number]) if 0 <= number < len(self._frequency) else 0

    def put(self, slots: Sequence[int], items: Sequence[Item], before: Sequence[int]) -> None:
        """`before`: the slot that each item has been in, UNKNOWN if none. What has the texts that it had there, and
        other labels (mostly another stock), has the rest copied: that is several times as quick as reading it."""
        size = max(slots, default=-1) + 1
        self.lengths, self.titles = grown(self.lengths, size, 0), grown(self.titles, size, 0)
        self.voiced = grown(self.voiced, size, False)
        self._texts = grown(self._texts, size, 0)
        told = list(zip(slots, items, before, strict=True))
        labelled = [each for each in unhurried(told) if self._same_texts(each[2], each[1])]
        known = {slot for slot, _, _ in labelled}
        self._read([slot for slot in slots if slot not in known], [item for slot, item, _ in told if slot not in known])
        self._label([slot for slot, _, _ in labelled], [item for _, item, _ in labelled], [old for *_, old in labelled])

    def retire(self, slots: Sequence[int]) -> None:
        """The items of these slots are gone, though they may still be read."""
        flat = self.words.flat(np.array(slots, dtype=np.int64))
        numbers, places = (part[flat.at] for part in flat.parts)
        np.subtract.at(self._frequency, numbers[places & (PROSE | LABELS) > 0], 1)

    def drop(self, slots: Sequence[int]) -> None:
        """Nobody reads these slots any more."""
        flat = self.words.flat(np.array(slots, dtype=np.int64))
        self._vocabulary.drop(flat.parts[0][flat.at])
        self.words.drop(slots)
        self.trigrams.drop(slots)

    def settle(self) -> None:
        """A change is over."""
        self._vocabulary.settle()

    def saving(self, alive: Numbers) -> Callable[[Path], None]:
        """Writes, when called, all that there is now, `alive` being the slots in use."""
        words, trigrams, vocabulary = self.words.saving(alive), self.trigrams.saving(alive), [*self._vocabulary.words]
        held = self._frequency, self.lengths, self.titles, self.voiced, self._texts
        columns: dict[str, Any] = dict(zip(_COLUMNS, [column.copy() for column in held], strict=True))

        def write(folder: Path) -> None:
            words(folder, "words")
            trigrams(folder, "trigrams")
            write_list(folder / "vocabulary.json", vocabulary)
            with (folder / "titles.npz").open("wb") as file:
                np.savez(file, **columns)

        return write

    def restore(self, folder: Path) -> None:
        words = orjson.loads((folder / "vocabulary.json").read_bytes())
        with np.load(folder / "titles.npz", allow_pickle=False) as stored:
            self._frequency, self.lengths, self.titles, self.voiced, self._texts = (stored[name] for name in _COLUMNS)
        self.words.restore(folder, "words")
        self.trigrams.restore(folder, "trigrams")
        self._vocabulary = Vocabulary(words, self.words.entries(0))

    def _same_texts(self, slot: int, item: Item) -> bool:
        return 0 <= slot < len(self._texts) and bool(self._texts[slot] == np.uint64(text_hash(item)))

    def _read(self, slots: Sequence[int], items: Sequence[Item]) -> None:
        """Of items of which nothing is known."""
        found = [said(item) for item in unhurried(items)]
        lengths = np.array([len(each.places) for each in found], dtype=np.int64)
        numbers = self._vocabulary.numbers(chain.from_iterable(each.places for each in found))
        places = np.fromiter(chain.from_iterable(each.places.values() for each in found), np.uint16, len(numbers))
        self._put_words(slots, lengths, numbers, places)
        self.trigrams.put(slots, *distinct([trigrams(each.title) for each in found]))
        self.lengths[slots] = [len(each.title) for each in found]
        self.titles[slots] = np.array([title_hash(each.title) for each in found], dtype=np.uint64)
        self.voiced[slots] = [bool(item.reviews or item.questions) for item in items]
        self._texts[slots] = np.array([text_hash(item) for item in items], dtype=np.uint64)

    def _label(self, slots: Sequence[int], items: Sequence[Item], before: Sequence[int]) -> None:
        """Of items that were in slots `before`, with the same texts."""
        old = np.array(before, dtype=np.intp)
        words = self.words.flat(old)
        numbers, places = (part[words.at] for part in words.parts)
        told = [dict.fromkeys(labels(item)) for item in unhurried(items)]
        rows = np.concatenate([words.rows(np.arange(len(numbers))), np.repeat(np.arange(len(told)), [*map(len, told)])])
        numbers = np.concatenate([numbers, self._vocabulary.numbers(chain.from_iterable(told))])
        places = np.concatenate([places & ~np.uint16(LABELS), np.full(len(rows) - len(places), LABELS, np.uint16)])
        self._put_words(slots, *_united(len(slots), rows, numbers, places))
        letters = self.trigrams.flat(old)
        self.trigrams.put(slots, np.diff(letters.ends, prepend=0), letters.parts[0][letters.at])
        for column in (self.lengths, self.titles, self.voiced, self._texts):
            column[slots] = column[old]

    def _put_words(
        self, slots: Sequence[int], lengths: _Lengths, numbers: NDArray[np.int32], places: NDArray[np.uint16]
    ) -> None:
        self._vocabulary.use(numbers)
        self._frequency = grown(self._frequency, self._vocabulary.size, 0)
        np.add.at(self._frequency, numbers[places & (PROSE | LABELS) > 0], 1)
        self.words.put(slots, lengths, numbers, places)


def _united(
    count: int, rows: Numbers, numbers: NDArray[np.int32], places: NDArray[np.uint16]
) -> tuple[_Lengths, NDArray[np.int32], NDArray[np.uint16]]:
    """Entries in the order of their `count` rows, each number of a row once with all its places, if it has any."""
    order = np.lexsort((numbers, rows))
    order = order[places[order] > 0]
    rows, numbers, places = rows[order], numbers[order], places[order]
    first = np.flatnonzero((np.diff(rows, prepend=-1) != 0) | (np.diff(numbers, prepend=-1) != 0))
    together = np.bitwise_or.reduceat(places, first) if len(first) else places
    return np.bincount(rows[first], minlength=count), numbers[first], together

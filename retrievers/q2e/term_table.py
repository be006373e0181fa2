"""Words and the items predicted for them, both ways round, following the catalogue change by change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from core.long_json import write_lists
from core.pace import unhurried
from core.types import Floats, ItemId
from retrievers.q2e.predicted import ItemTerms

Ints = NDArray[np.int32]
Pairs = NDArray[np.int64]
_NONE = np.empty(0, dtype=np.int32)
# A word's champions are all of its items up to _MOST; then the best _KEPT, and what has come since. The lists of words
# that have lost _LOST of them are made again.
_KEPT, _MOST, _LOST = 400, 800, 200
_LEAST_POPULAR = 0.75  # to 1.25 for the most popular
_STEP = 8  # rows are as wide as the longest item, in whole steps: little to read where items say little
_ARRAYS = ("words", "weights", "title", "quality", "ties")


@dataclass(frozen=True, slots=True)
class _Champions:
    """Of all words: those of word n are slots[starts[n] : starts[n + 1]]."""

    slots: Ints
    starts: Pairs

    def of(self, number: int) -> Ints:
        return self.slots[self.starts[number] : self.starts[number + 1]] if number < len(self.starts) - 1 else _NONE


class TermTable:
    """Every item has a slot, every word a number from 1 on; 0 is no word. Not thread-safe.

    [slots, width]: `words` by number and `weights`, as in ItemTerms. [slots]: `title`, how many of the entries are the
    title's; `quality`, the part of a belief that no query changes; `ties`, see `tie`. `counts`: items by word number;
    `_sizes`: champions by word number, fewer than items where only the best are kept. Both have room for more words.
    Words are never forgotten, slots are used again; the width is a multiple of 8 and only grows.
    """

    def __init__(self) -> None:
        self.words: Ints = np.zeros((0, _STEP), dtype=np.int32)
        self.weights = np.zeros((0, _STEP), dtype=np.float16)
        self.title: Ints = np.zeros(0, dtype=np.int32)
        self.quality = np.zeros(0, dtype=np.float32)
        self.ties = np.zeros(0, dtype=np.int64)
        self.counts, self._sizes = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        self.ids: list[ItemId | None] = []
        self.slots: dict[ItemId, int] = {}
        self.moves = 0  # grows whenever an item gets a slot or loses it
        self._numbers: dict[str, int] = {"": 0}
        self._free: list[int] = []
        self._lost: dict[int, int] = {}
        self._changed: dict[int, Ints] = {}  # champions; those of other words are as they were restored
        self._restored = _Champions(_NONE, np.zeros(1, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def width(self) -> int:
        return int(self.words.shape[1])

    def number(self, word: str) -> int:
        """0 for an unknown word."""
        return self._numbers.get(word, 0)

    def champions(self, number: int) -> Ints:
        """Slots of the best items that have the word, at most _MOST, in no particular order."""
        found = self._changed.get(number)
        return self._restored.of(number) if found is None else found

    def remove(self, item_ids: Collection[ItemId]) -> None:
        """Forget these items; unknown ids are no error."""
        gone = [self.slots.pop(item_id) for item_id in item_ids if item_id in self.slots]
        if not gone:
            return
        self.moves += 1
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
            self._keep(number, left)
            if len(left) < self.counts[number]:
                self._lost[number] = self._lost.get(number, 0) + len(before) - len(left)
                if self._lost[number] > _LOST:
                    self._refill(number)

    def put(self, items: Mapping[ItemId, ItemTerms]) -> None:
        """Take in items, new ones and others of before. The words that one of before keeps cost little."""
        self._grow(sum(item_id not in self.slots for item_id in items))
        self._widen(max((len(terms.words) for terms in items.values()), default=0))
        slots = np.array([self._slot(item_id) for item_id in items], dtype=np.int32)
        before, after = self.words[slots], self._written(slots, list(items.values()))
        lost, gained, kept = _compared(before, after)
        self._make_room_for_words()
        new_to_cut, still_cut = (each[:, self._sizes[each[1]] < self.counts[each[1]]] for each in (gained, kept))
        cut = {*new_to_cut[1].tolist(), *still_cut[1].tolist()}
        np.subtract.at(self.counts, lost[1], 1)
        np.add.at(self.counts, gained[1], 1)
        for row, number in zip(*lost.tolist(), strict=True):
            champions = self.champions(number)
            self._keep(number, champions[champions != slots[row]])
        self._offer(slots, np.concatenate([gained, still_cut], axis=1), cut)

    def reprice(self, popularity: Mapping[ItemId, float]) -> None:
        """Items that are there, with other popularities, in 0..1: those that did not grow stay what they are."""
        slots = np.array([self.slots[item_id] for item_id in popularity], dtype=np.int32)
        before, held = self.quality[slots], self.words[slots]
        titled = np.count_nonzero((held > 0) & (np.arange(self.width) < self.title[slots, None]), axis=1)
        self.quality[slots] = _quality(list(popularity.values()), titled)
        grown = np.flatnonzero(self.quality[slots] > before)
        found = _rows_and_numbers(_marked(held[grown]))
        numbers = found[1]
        cut = self._sizes[numbers] < self.counts[numbers]
        self._offer(slots[grown], found[:, cut], {*numbers[cut].tolist()})

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, everything that there is now to files in a folder."""
        for number in list(self._lost):
            self._refill(number)
        arrays = {name: getattr(self, name).copy() for name in _ARRAYS}
        arrays["counts"] = self.counts[: len(self._numbers)].copy()
        changed, restored = self._changed.copy(), self._restored
        names: dict[str, list[Any]] = {"ids": [*self.ids], "words": [*self._numbers][1:]}

        def write(folder: Path) -> None:
            for name, array in arrays.items():
                np.save(folder / f"{name}.npy", array)
            numbers = unhurried(range(len(names["words"]) + 1))
            champions = [restored.of(n) if (found := changed.get(n)) is None else found for n in numbers]
            np.save(folder / "champions.npy", np.concatenate(champions))
            np.save(folder / "starts.npy", np.cumsum([0, *map(len, champions)]))
            write_lists(folder / "names.json", names)

        return write

    def restore(self, folder: Path) -> None:
        for name in (*_ARRAYS, "counts"):
            setattr(self, name, np.load(folder / f"{name}.npy"))
        self._restored = _Champions(np.load(folder / "champions.npy"), np.load(folder / "starts.npy"))
        names = orjson.loads((folder / "names.json").read_bytes())
        self.ids = names["ids"]
        self.slots = {item_id: slot for slot, item_id in enumerate(self.ids) if item_id is not None}
        self.moves += 1
        self._free = [slot for slot, item_id in enumerate(self.ids) if item_id is None]
        self._numbers = {word: number for number, word in enumerate(["", *names["words"]])}
        self._sizes = np.diff(self._restored.starts)

    def _refill(self, number: int) -> None:
        every = np.flatnonzero(self.words.ravel() == number) // self.width
        self._keep(number, self._trimmed(number, every.astype(np.int32)))
        del self._lost[number]

    def _offer(self, slots: Ints, found: Pairs, cut: Collection[int]) -> None:
        """As champions of the words that were found in them; of those in `cut`, some of them may be champions."""
        new = np.zeros(len(self.ids), dtype=bool)
        for number, rows in _by_number(found):
            champions, arrived = self.champions(number), slots[rows]
            if number in cut:
                new[arrived] = True
                new[champions] = False
                arrived = arrived[new[arrived]]
                new[arrived] = False
            if len(arrived):
                self._keep(number, self._trimmed(number, np.concatenate([champions, arrived])))

    def _keep(self, number: int, champions: Ints) -> None:
        self._changed[number] = champions
        self._sizes[number] = len(champions)

    def _trimmed(self, number: int, slots: Ints) -> Ints:
        """All of them, or the best _KEPT of more than _MOST."""
        if len(slots) <= _MOST:
            return slots
        column = (self.words[slots] == number).argmax(axis=1)
        titled = titled_share(column < self.title[slots])
        alone: Floats = self.weights[slots, column] * titled * self.quality[slots]
        return slots[np.lexsort((self.ties[slots], -alone))[:_KEPT]]

    def _slot(self, item_id: ItemId) -> int:
        """The item's, a free one for a new item."""
        slot = self.slots.get(item_id)
        if slot is None:
            slot = self.slots[item_id] = self._free.pop()
            self.moves += 1
            self.ids[slot], self.ties[slot] = item_id, tie(item_id)
        return slot

    def _written(self, slots: Ints, items: Sequence[ItemTerms]) -> Ints:
        """[items, width] the numbers of the items' words, which stand in their slots now, as all else of them does."""
        words = list(chain.from_iterable(terms.words for terms in items))
        for word in words:
            if word not in self._numbers:
                self._numbers[word] = len(self._numbers)
        lengths = np.array([len(terms.words) for terms in items])
        place = np.flatnonzero(np.arange(self.width) < lengths[:, None])
        numbers, weights = (np.zeros((len(items), self.width), kept.dtype) for kept in (self.words, self.weights))
        numbers.ravel()[place] = [*map(self._numbers.__getitem__, words)]
        weights.ravel()[place] = [*chain.from_iterable(terms.weights for terms in items)]
        self.words[slots], self.weights[slots] = numbers, weights
        self.title[slots] = [terms.title for terms in items]
        self.quality[slots] = _quality([terms.popularity for terms in items], [terms.title_words for terms in items])
        return numbers

    def _make_room_for_words(self) -> None:
        """In steps of an eighth, as for items."""
        if len(self._numbers) > len(self.counts):
            size = len(self._numbers) + len(self._numbers) // 8
            self.counts, self._sizes = (_padded(counts, size) for counts in (self.counts, self._sizes))

    def _grow(self, items: int) -> None:
        """Make room for so many more; in steps of an eighth, so that growing costs little on the whole."""
        if items <= len(self._free):
            return
        old, size = len(self.ids), len(self.ids) + max(items - len(self._free), len(self.ids) // 8)
        for name in _ARRAYS:
            setattr(self, name, _padded(getattr(self, name), size))
        self.ids += [None] * (size - old)
        self._free += range(size - 1, old - 1, -1)

    def _widen(self, entries: int) -> None:
        more = -(-entries // _STEP) * _STEP - self.width
        if more > 0:
            self.words = np.pad(self.words, [(0, 0), (0, more)])
            self.weights = np.pad(self.weights, [(0, 0), (0, more)])


def _quality(popularity: Sequence[float], title_words: Sequence[int] | NDArray[np.intp]) -> Floats:
    """[items] the part of a belief that no query changes."""
    popular = [_LEAST_POPULAR + 2 * (1 - _LEAST_POPULAR) * each for each in popularity]
    found: Floats = np.array(popular, dtype=np.float32) / titled_share(np.array(title_words, dtype=np.float32))
    return found


def _compared(before: Ints, after: Ints) -> tuple[Pairs, Pairs, Pairs]:
    """Rows and numbers, [2, n] each, that are only before, only after, and both, by two arrays [rows, width]."""
    old, new = _marked(before), _marked(after)
    every = np.sort(np.concatenate([old, new]))
    both = every[:-1][every[1:] == every[:-1]]
    return _rows_and_numbers(_without(old, both)), _rows_and_numbers(_without(new, both)), _rows_and_numbers(both)


def _marked(held: Ints) -> Pairs:
    """Every row and number as one number, ascending."""
    each: Pairs = (np.arange(len(held))[:, None] << 32 | held)[held > 0]
    return np.sort(each)


def _rows_and_numbers(marked: Pairs) -> Pairs:
    return np.array([marked >> 32, marked & 0xFFFFFFFF])


def _without(some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Both ascending, and all of the others among them."""
    kept = np.ones(len(some), dtype=bool)
    kept[some.searchsorted(others)] = False
    return some[kept]


def _by_number(found: Pairs) -> Iterator[tuple[int, Pairs]]:
    """Every number with its rows."""
    rows, numbers = found[:, found[1].argsort()]
    distinct, starts = np.unique(numbers, return_index=True)
    bounds = [*starts.tolist(), len(rows)]
    for number, start, end in zip(distinct.tolist(), bounds, bounds[1:], strict=False):
        yield number, rows[start:end]


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

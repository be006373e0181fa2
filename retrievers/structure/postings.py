"""Posting lists over rows of items: sorted int32 arrays that writers replace whole, so that readers need no lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from core.filters import Filters, ranges_of, values_of
from core.long_json import write_lists
from core.pace import unhurried
from core.types import Item, ItemId, Range
from retrievers.columns import NO_COLUMN, Column, columns, moved_up, packed, replaced, unpacked
from retrievers.structure.facts import Facts
from retrievers.structure.readings import Constraint

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]
# (attribute, phrase), a title word, or (attribute, exact value, "exact")
_Key = str | tuple[str, str] | tuple[str, str, str]
_NONE: Rows = np.empty(0, dtype=np.int32)


class Row(NamedTuple):
    """An item on a row, and what it says."""

    number: int
    item: Item
    facts: Facts

    @property
    def keys(self) -> frozenset[_Key]:
        return frozenset(chain(self.facts.phrases, self.facts.title, _exact(self.item)))


class Postings:
    """Rows by value phrase, title word and exact facet, and columns of numbers. An item stays on its row.

    `_columns` are what queries are read by, figures in text included; `_numbers`, for filters, are the items' own.
    """

    def __init__(self) -> None:
        self.ids: list[ItemId] = []
        self.rank = _NONE  # of each row in the order of ids, so that ties need no comparison of strings
        self._by_id = _NONE
        self._lists: dict[_Key, Rows] = {}
        self._columns: dict[str, Column] = {}
        self._numbers: dict[str, Column] = {}

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, everything that is there now to files in a folder."""
        lists, rank = [*self._lists.values()], self.rank
        names: dict[str, list[Any]] = {"ids": [*self.ids], "keys": [*self._lists]}
        columns = packed(self._columns, "columns") | packed(self._numbers, "numbers")

        def write(folder: Path) -> None:
            write_lists(folder / "postings.json", names)
            starts, rows = np.cumsum([0, *map(len, lists)], dtype=np.int64), np.concatenate([_NONE, *lists])
            np.savez(folder / "postings.npz", starts=starts, rows=rows, rank=rank, **columns)

        return write

    @classmethod
    def saved(cls, folder: Path) -> Postings:
        """As they were saved there."""
        names = orjson.loads((folder / "postings.json").read_bytes())
        found = cls()
        with np.load(folder / "postings.npz") as arrays:
            starts, rows, found.rank = arrays["starts"].tolist(), arrays["rows"], arrays["rank"]
            found._columns, found._numbers = unpacked(arrays, "columns"), unpacked(arrays, "numbers")
        keys = (key if isinstance(key, str) else tuple(key) for key in names["keys"])
        found._lists = {key: rows[start:end] for key, start, end in zip(keys, starts, starts[1:], strict=False)}
        found._by_id = np.argsort(found.rank).astype(np.int32)
        found.ids = names["ids"]
        return found

    def compacted(self, alive: Mask) -> Postings:
        """The same without the rows that are not `alive`; the others move up. All lists at once, as one array."""
        place = (np.cumsum(alive) - 1).astype(np.int32)
        starts = np.cumsum([0, *map(len, self._lists.values())], dtype=np.int64)
        rows = np.concatenate([_NONE, *self._lists.values()])
        kept = alive[rows]
        ends = np.append(0, np.cumsum(kept))[starts].tolist()
        moved = place[rows[kept]]
        found = Postings()
        found.ids = list(compress(self.ids, alive.tolist()))
        spans = zip(self._lists, ends, ends[1:], strict=False)
        found._lists = {key: moved[start:end] for key, start, end in spans if end > start}
        found._columns = moved_up(self._columns, alive, place)
        found._numbers = moved_up(self._numbers, alive, place)
        found._by_id = place[self._by_id[alive[self._by_id]]]
        found.rank = _inverse(found._by_id)
        return found

    def change(self, old: Sequence[Row], new: Sequence[Row]) -> None:
        """`new` rows, ascending: those that are in `old`, with what they said until now, and others after the last one.

        A reader meanwhile may find an item by what it said, by what it says now, or by both.
        """
        before = {row.number: row for row in old}
        added: dict[_Key, list[int]] = {}
        removed: dict[_Key, list[int]] = {}
        for row in unhurried(new):
            now, was = row.keys, before[row.number].keys if row.number in before else frozenset()
            for key in now - was:
                added.setdefault(key, []).append(row.number)
            for key in was - now:
                removed.setdefault(key, []).append(row.number)
        for key, rows in unhurried(added.items()):
            self._lists[key] = _with(self._lists.get(key, _NONE), rows)
        for key, rows in unhurried(removed.items()):
            if len(left := _without(self._lists[key], rows)):
                self._lists[key] = left
            else:
                del self._lists[key]
        gone = np.array(sorted(before), dtype=np.int32)
        self._columns = replaced(self._columns, gone, columns((row.number, row.facts.numbers) for row in new))
        self._numbers = replaced(self._numbers, gone, columns((row.number, row.item.numbers.items()) for row in new))
        self._rank([row.item.id for row in new if row.number >= len(self.ids)])

    def _rank(self, ids: Sequence[ItemId]) -> None:
        first = len(self.ids)
        self.ids += ids
        new = sorted(range(first, len(self.ids)), key=self.ids.__getitem__)
        places = [bisect_left(self._by_id, self.ids[row], key=self.ids.__getitem__) for row in new]
        if new:
            self._by_id = np.insert(self._by_id, places, new)
            self.rank = _inverse(self._by_id)

    def titles(self, word: str) -> Rows:
        return self._lists.get(word, _NONE)

    def satisfying(self, constraint: Constraint) -> Rows:
        """Rows, ascending; a row may come twice when it has two figures of one name."""
        if constraint.phrase:
            return self._lists.get((constraint.name, constraint.phrase), _NONE)
        return self._column(constraint.name).within(Range(constraint.low, constraint.high))

    def count(self, constraint: Constraint) -> int:
        """The length of `satisfying`, for less; rows of gone items count until they are dropped."""
        if constraint.phrase:
            return len(self.satisfying(constraint))
        return self._column(constraint.name).count(Range(constraint.low, constraint.high))

    def share(self, name: str, low: float, high: float) -> float:
        """Of the figures called `name`, the share in low..high; 0 when there are none."""
        column = self._column(name)
        return column.count(Range(low, high)) / len(column.rows) if len(column.rows) else 0.0

    def _column(self, name: str) -> Column:
        return self._columns.get(name, NO_COLUMN)

    def passing(self, name: str, wanted: Sequence[str]) -> list[Rows]:
        """The rows whose exact value of a filter's attribute is one of the wanted."""
        return [self._lists.get((name, value, "exact"), _NONE) for value in wanted]

    def within(self, name: str, wanted: Range) -> Rows:
        """The rows whose own number of that name is in the range."""
        return self._numbers.get(name, NO_COLUMN).within(wanted)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which rows there are, for one request: of `postings`, the first len(alive), where `alive` says so.

    `brevity`: per row, what a title word is worth in a title of that length (see `brevity`).
    """

    postings: Postings
    alive: Mask
    brevity: NDArray[np.float32]
    rank: Rows
    size: int

    def mask(self, *lists: Rows) -> Mask:
        """Rows as a dense mask; rows that came after this snapshot are left out."""
        found = np.zeros(len(self.alive), dtype=np.bool_)
        end = np.int32(len(found))  # a number of another type would have whole lists converted to it
        for rows in lists:
            found[rows[: rows.searchsorted(end)].astype(np.intp)] = True  # quicker than by narrower ones
        return found

    def allowed(self, filters: Filters) -> Mask:
        allowed = self.alive
        for name, wanted in values_of(filters).items():
            allowed = allowed & self.mask(*self.postings.passing(name, wanted))
        for name, span in ranges_of(filters).items():
            allowed = allowed & self.mask(self.postings.within(name, span))
        return allowed


def brevity(lengths: NDArray[np.float64], alive: Mask) -> NDArray[np.float32]:
    """BM25's weight of one occurrence, (k + 1) / (1 + k (1 - b + b length / mean)), with k = 1.2 and b = 0.75."""
    living = np.count_nonzero(alive)
    mean = max(float(lengths @ alive) / living, 1.0) if living else 1.0  # exact: lengths are whole
    return (2.2 / (1 + 1.2 * (0.25 + 0.75 * lengths / mean))).astype(np.float32)


def _inverse(order: Rows) -> Rows:
    """Of each row its place in an order of all rows."""
    places = np.empty(len(order), dtype=np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places


def _with(rows: Rows, more: Sequence[int]) -> Rows:
    """Ascending rows, and further ones."""
    new = np.array(more, dtype=np.int32)
    if not len(rows):
        return new
    return np.concatenate([rows, new]) if rows[-1] < new[0] else np.insert(rows, rows.searchsorted(new), new)


def _without(rows: Rows, some: Sequence[int]) -> Rows:
    """Ascending rows without some of them."""
    return np.delete(rows, rows.searchsorted(np.array(some, dtype=np.int32)))


def _exact(item: Item) -> set[tuple[str, str, str]]:
    """What filters match, which is an attribute called `type` never: see core.filters."""
    found: Mapping[str, Sequence[str]] = {**item.attributes, "type": (item.type,)}
    return {(name, value, "exact") for name, values in found.items() for value in values}

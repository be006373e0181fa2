<<<<<<< HEAD
"""One immutable part of an inverted index: some documents, and which of them hold each term with what weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
=======
"""Posting lists over rows of items: sorted int32 arrays that writers replace whole, so that readers need no lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
>>>>>>> 62f6dce (The structured arm: queries read as constraints on the catalogue's attributes, sharpened by clicks)

import numpy as np
from numpy.typing import NDArray

<<<<<<< HEAD
from core.types import Floats

Rows = NDArray[np.int32]
# A term in this share of the documents is also kept as a column over all of them: adding a column to the scores is a
# tenth of the work of adding as many single postings, and memory stays below four times that of the postings.
_COLUMN_SHARE = 0.25
_COLUMN_FLOOR = 1_000  # documents: below, postings are quick enough


@dataclass(frozen=True, slots=True)
class Postings:
    """Terms (numbers of a vocabulary) in order, each with the rows that hold it, in order, and their weights."""

    terms: NDArray[np.int32]
    starts: NDArray[np.int64]
    rows: Rows
    weights: Floats
    columns: Mapping[int, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: NDArray[np.int32], rows: Rows, weights: Floats) -> Postings:
        """From triples of a term, a row and a weight; those of one term are in order of the rows."""
        order = np.argsort(terms, kind="stable")
        distinct, firsts = np.unique(terms[order], return_index=True)
        return cls(distinct, np.append(firsts, len(terms)).astype(np.int64), rows[order], weights[order])

    def with_columns(self, size: int) -> Postings:
        """The same with columns of length `size` for its common terms."""
        if size < _COLUMN_FLOOR:
            return self
        common = np.flatnonzero(np.diff(self.starts) > _COLUMN_SHARE * size)
        columns: dict[int, Floats] = {}
        for place in common.tolist():
            span = slice(self.starts[place], self.starts[place + 1])
            column = np.zeros(size, dtype=np.float32)
            column[self.rows[span]] = self.weights[span]
            columns[int(self.terms[place])] = column
        return replace(self, columns=columns)

    def find(self, term: int) -> tuple[Rows, Floats]:
        """The rows that hold the term, and their weights."""
        # A number of another type would have the whole array converted to it.
        place = int(self.terms.searchsorted(np.int32(term)))
        if place == len(self.terms) or self.terms[place] != term:
            return self.rows[:0], self.weights[:0]
        span = slice(self.starts[place], self.starts[place + 1])
        return self.rows[span], self.weights[span]

    def triples(self) -> tuple[NDArray[np.int32], Rows, Floats]:
        """Term, row and weight of every posting: what `of` takes."""
        return np.repeat(self.terms, np.diff(self.starts)), self.rows, self.weights


@dataclass(frozen=True, slots=True)
class Segment:
    """Documents by row: their ids and lengths, which of them still count, and their words and facets."""

    serial: int
    ids: NDArray[Any]
    lengths: Floats
    alive: NDArray[np.bool_]
    dead: int
    words: Postings
    facets: Postings

    @property
    def size(self) -> int:
        return len(self.ids)

    def without(self, rows: Sequence[int]) -> Segment:
        """The same with these rows dead."""
        alive = self.alive.copy()
        alive[list(rows)] = False
        return replace(self, alive=alive, dead=self.dead + len(rows))

    def frequency(self, term: int) -> int:
        """How many living documents hold the term."""
        rows, _ = self.words.find(term)
        return int(np.count_nonzero(self.alive[rows])) if self.dead else len(rows)

    def holding(self, term: int, rows: Rows) -> NDArray[np.bool_]:
        """Which of the rows hold the term."""
        holders, _ = self.words.find(term)
        if not len(holders):
            return np.zeros(len(rows), dtype=np.bool_)
        places = np.minimum(holders.searchsorted(rows), len(holders) - 1)
        return np.asarray(holders[places] == rows)


def merged(segments: Sequence[Segment], serial: int) -> Segment:
    """One segment with the living documents of all."""
    alive = np.concatenate([segment.alive for segment in segments])
    bases = np.cumsum([0, *(segment.size for segment in segments)])
    place = (np.cumsum(alive) - 1).astype(np.int32)
    size = int(np.count_nonzero(alive))
    words = _joined([segment.words for segment in segments], bases, alive, place).with_columns(size)
    return Segment(
        serial=serial,
        ids=np.concatenate([segment.ids for segment in segments])[alive],
        lengths=np.concatenate([segment.lengths for segment in segments])[alive],
        alive=np.ones(size, dtype=np.bool_),
        dead=0,
        words=words,
        facets=_joined([segment.facets for segment in segments], bases, alive, place),
    )


def _joined(parts: Sequence[Postings], bases: NDArray[np.int64], alive: NDArray[np.bool_], place: Rows) -> Postings:
    triples = [part.triples() for part in parts]
    rows = np.concatenate([found + base for (_, found, _), base in zip(triples, bases[:-1].tolist(), strict=True)])
    kept = alive[rows]
    terms = np.concatenate([found for found, _, _ in triples])[kept]
    weights = np.concatenate([found for _, _, found in triples])[kept]
    return Postings.of(terms, place[rows[kept]], weights)
=======
from core.filters import Filters
from core.types import Item, ItemId
from retrievers.facts import Facts
from retrievers.readings import Constraint

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]
# (attribute, phrase), a title word, or (attribute, exact value, "exact")
_Key = str | tuple[str, str] | tuple[str, str, str]
_NONE: Rows = np.empty(0, dtype=np.int32)
_EMPTY = _NONE, np.empty(0, dtype=np.float64)


class Postings:
    """Rows by value phrase, title word and exact facet, and columns of numbers. Rows are only ever added."""

    def __init__(self) -> None:
        self.ids: list[ItemId] = []
        self.rank = _NONE  # of each row in the order of ids, so that ties need no comparison of strings
        self._by_id = _NONE
        self._lists: dict[_Key, Rows] = {}
        self._columns: dict[str, tuple[Rows, NDArray[np.float64]]] = {}

    def append(self, items: Sequence[tuple[Item, Facts]]) -> None:
        """New rows, after the last one. They count for readers once a Snapshot spans them."""
        added: dict[_Key, list[int]] = {}
        numbers: dict[str, list[tuple[int, float]]] = {}
        for row, (item, facts) in enumerate(items, start=len(self.ids)):
            keys: Iterator[_Key] = chain(facts.phrases, facts.title, _exact(item))
            for key in keys:
                added.setdefault(key, []).append(row)
            for name, value in facts.numbers:
                numbers.setdefault(name, []).append((row, value))
        for key, rows in added.items():
            new = np.array(rows, dtype=np.int32)
            self._lists[key] = np.concatenate([self._lists[key], new]) if key in self._lists else new
        for name, pairs in numbers.items():
            rows_, values = self._columns.get(name, _EMPTY)
            self._columns[name] = (
                np.concatenate([rows_, np.array([row for row, _ in pairs], dtype=np.int32)]),
                np.concatenate([values, np.array([value for _, value in pairs])]),
            )
        self._rank([item.id for item, _ in items])

    def _rank(self, ids: Sequence[ItemId]) -> None:
        first = len(self.ids)
        self.ids += ids
        new = sorted(range(first, len(self.ids)), key=self.ids.__getitem__)
        places = [bisect_left(self._by_id, self.ids[row], key=self.ids.__getitem__) for row in new]
        self._by_id = np.insert(self._by_id, places, new)
        rank = np.empty(len(self.ids), dtype=np.int32)
        rank[self._by_id] = np.arange(len(rank), dtype=np.int32)
        self.rank = rank

    def titles(self, word: str) -> Rows:
        return self._lists.get(word, _NONE)

    def satisfying(self, constraint: Constraint) -> Rows:
        """Rows, ascending; a row may come twice when it has two figures of one name."""
        if constraint.phrase:
            return self._lists.get((constraint.name, constraint.phrase), _NONE)
        rows, values = self._columns.get(constraint.name, _EMPTY)
        return rows[(values >= constraint.low) & (values <= constraint.high)]

    def count(self, constraint: Constraint) -> int:
        """The length of `satisfying`, for less; rows of gone items count until they are dropped."""
        if constraint.phrase:
            return len(self.satisfying(constraint))
        _, values = self._columns.get(constraint.name, _EMPTY)
        return int(np.count_nonzero((values >= constraint.low) & (values <= constraint.high)))

    def share(self, name: str, low: float, high: float) -> float:
        """Of the figures called `name`, the share in low..high; 0 when there are none."""
        rows, _ = self._columns.get(name, _EMPTY)
        return self.count(Constraint(name, low=low, high=high)) / len(rows) if len(rows) else 0.0

    def passing(self, name: str, wanted: Sequence[str]) -> list[Rows]:
        """The rows whose exact value of a filter's attribute is one of the wanted."""
        return [self._lists.get((name, value, "exact"), _NONE) for value in wanted]


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
        for rows in lists:
            found[rows[: np.searchsorted(rows, len(found))]] = True
        return found

    def allowed(self, filters: Filters) -> Mask:
        allowed = self.alive
        for name, wanted in filters.items():
            allowed = allowed & self.mask(*self.postings.passing(name, wanted))
        return allowed


def brevity(lengths: NDArray[np.float64], alive: Mask) -> NDArray[np.float32]:
    """BM25's weight of one occurrence, (k + 1) / (1 + k (1 - b + b length / mean)), with k = 1.2 and b = 0.75."""
    mean = max(float(lengths[alive].mean()), 1.0) if alive.any() else 1.0
    return (2.2 / (1 + 1.2 * (0.25 + 0.75 * lengths / mean))).astype(np.float32)


def _exact(item: Item) -> set[tuple[str, str, str]]:
    """What filters match, which is an attribute called `type` never: see core.filters."""
    found: Mapping[str, Sequence[str]] = {**item.attributes, "type": (item.type,)}
    return {(name, value, "exact") for name, values in found.items() for value in values}
>>>>>>> 62f6dce (The structured arm: queries read as constraints on the catalogue's attributes, sharpened by clicks)

"""One immutable part of an inverted index: some documents, and which of them hold each term with what weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from core.long_json import write_list
from core.types import Floats, ItemId
from retrievers.columns import Column, columns, joined, packed, replaced, unpacked

Rows = NDArray[np.int32]
# A term in this share of the documents is also kept as a column over all of them: adding a column to the scores is a
# tenth of the work of adding as many single postings, and memory stays below four times that of the postings.
_COLUMN_SHARE = 0.25
_COLUMN_FLOOR = 1_000  # documents: below, postings are quick enough
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_PARTS = ("terms", "starts", "rows", "weights")  # of Postings, in the order of its fields


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
        ordered = terms[order]
        firsts = np.flatnonzero(np.diff(ordered, prepend=-1))
        return cls(ordered[firsts], np.append(firsts, len(terms)).astype(np.int64), rows[order], weights[order])

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

    def marks(self, size: int) -> NDArray[np.float64]:
        """[size] a number for each row, the same for the same terms and weights; for others, very likely another."""
        terms, rows, weights = self.triples()
        mixed = terms.astype(np.uint64) * _MIX[0] ^ weights.view(np.uint32) * _MIX[1]
        # Sums of whole numbers below 2^32 are exact, in any order.
        sums = np.bincount(rows, weights=mixed * _MIX[2] >> np.uint64(32), minlength=size)
        return np.asarray(sums, dtype=np.float64)  # integers when there are no rows

    def triples(self) -> tuple[NDArray[np.int32], Rows, Floats]:
        """Term, row and weight of every posting: what `of` takes."""
        return np.repeat(self.terms, np.diff(self.starts)), self.rows, self.weights


@dataclass(frozen=True, slots=True)
class Segment:
    """Documents by row: their ids and lengths, which of them still count, and their words, facets and numbers.

    `marks` tell whether a document's words are what they were: see Postings.marks.
    """

    serial: int
    ids: NDArray[Any]
    lengths: Floats
    marks: NDArray[np.float64]
    alive: NDArray[np.bool_]
    dead: int
    words: Postings
    facets: Postings
    numbers: Mapping[str, Column]

    @property
    def size(self) -> int:
        return len(self.ids)

    def save(self, stem: Path) -> None:
        """Write it to files whose names begin with `stem`."""
        write_list(stem.with_suffix(".json"), self.ids.tolist())
        postings = {"words": self.words, "facets": self.facets}
        parts = {f"{name}_{part}": getattr(found, part) for name, found in postings.items() for part in _PARTS}
        parts |= packed(self.numbers, "numbers")
        np.savez(stem.with_suffix(".npz"), lengths=self.lengths, marks=self.marks, alive=self.alive, **parts)

    @classmethod
    def saved(cls, stem: Path, serial: int) -> Segment:
        """As it was saved there, with another serial number."""
        listed = orjson.loads(stem.with_suffix(".json").read_bytes())
        ids = np.empty(len(listed), dtype=object)
        ids[:] = listed
        with np.load(stem.with_suffix(".npz")) as arrays:
            words, facets = (Postings(*(arrays[f"{name}_{part}"] for part in _PARTS)) for name in ("words", "facets"))
            lengths, marks, alive = arrays["lengths"], arrays["marks"], arrays["alive"]
            numbers = unpacked(arrays, "numbers")
        dead = len(ids) - int(np.count_nonzero(alive))
        return cls(serial, ids, lengths, marks, alive, dead, words.with_columns(len(ids)), facets, numbers)

    def places(self) -> Iterator[tuple[ItemId, tuple[int, int]]]:
        """(id, (serial, row)) of every living document."""
        rows = np.flatnonzero(self.alive)
        return zip(self.ids[rows].tolist(), zip(repeat(self.serial), rows.tolist()), strict=True)

    def without(self, rows: Sequence[int]) -> Segment:
        """The same with these rows dead."""
        alive = self.alive.copy()
        alive[list(rows)] = False
        return replace(self, alive=alive, dead=self.dead + len(rows))

    def renumbered(self, numbers: Mapping[int, Mapping[str, float]]) -> Segment:
        """The same with other numbers in these rows."""
        rows = sorted(numbers)
        new = columns((row, numbers[row].items()) for row in rows)
        return replace(self, numbers=replaced(self.numbers, np.array(rows, dtype=np.int32), new))

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
        marks=np.concatenate([segment.marks for segment in segments])[alive],
        alive=np.ones(size, dtype=np.bool_),
        dead=0,
        words=words,
        facets=_joined([segment.facets for segment in segments], bases, alive, place),
        numbers=_moved([segment.numbers for segment in segments], bases, alive, place),
    )


def _joined(parts: Sequence[Postings], bases: NDArray[np.int64], alive: NDArray[np.bool_], place: Rows) -> Postings:
    """The living postings of all. Each part is in order of terms already, so every posting's place can be counted."""
    moved = [part.rows + base for part, base in zip(parts, bases[:-1].tolist(), strict=True)]
    kept = [alive[rows] for rows in moved]
    counts = [np.add.reduceat(each, part.starts[:-1], dtype=np.int64) for part, each in zip(parts, kept, strict=True)]
    sizes = np.zeros(max((int(part.terms[-1]) + 1 for part in parts if len(part.terms)), default=0), dtype=np.int64)
    for part, count in zip(parts, counts, strict=True):
        sizes[part.terms] += count
    ends = sizes.cumsum()
    rows, weights = np.empty(int(sizes.sum()), dtype=np.int32), np.empty(int(sizes.sum()), dtype=np.float32)
    free = ends - sizes  # by term, where its next posting goes
    for part, found, living, count in zip(parts, moved, kept, counts, strict=True):
        to = np.repeat(free[part.terms] - count.cumsum() + count, count) + np.arange(int(count.sum()))
        rows[to] = place[found[living]]
        weights[to] = part.weights[living]
        free[part.terms] += count
    terms = np.flatnonzero(sizes)
    return Postings(terms.astype(np.int32), np.append(0, ends[terms]), rows, weights)


def _moved(
    parts: Sequence[Mapping[str, Column]], bases: NDArray[np.int64], alive: NDArray[np.bool_], place: Rows
) -> dict[str, Column]:
    moved = joined(
        [
            {name: Column((column.rows + base).astype(np.int32), column.figures) for name, column in part.items()}
            for part, base in zip(parts, bases[:-1].tolist(), strict=True)
        ]
    )
    kept = {name: alive[column.rows] for name, column in moved.items()}
    return {
        name: Column(place[column.rows[kept[name]]], column.figures[kept[name]])
        for name, column in moved.items()
        if kept[name].any()
    }

"""Numbers of items by name, for filters: rows and their figures, exact, so that a range is one comparison of arrays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import Range

Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Column:
    """The rows that have a number of one name, ascending, and their figures."""

    rows: Rows
    figures: NDArray[np.float64]

    def within(self, wanted: Range) -> Rows:
        """The rows whose figure is in the range; a row comes twice when it has two."""
        return self.rows[(self.figures >= wanted.low) & (self.figures <= wanted.high)]

    def count(self, wanted: Range) -> int:
        """The length of `within`, for less."""
        return int(np.count_nonzero((self.figures >= wanted.low) & (self.figures <= wanted.high)))


NO_COLUMN = Column(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float64))


def columns(numbers: Iterable[tuple[int, Iterable[tuple[str, float]]]]) -> dict[str, Column]:
    """One column per name; `numbers` are rows, ascending, each with its names and figures."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row, named in numbers:
        for name, figure in named:
            found.setdefault(name, []).append((row, figure))
    return {
        name: Column(np.array([row for row, _ in pairs], np.int32), np.array([f for _, f in pairs], np.float64))
        for name, pairs in found.items()
    }


def joined(parts: Sequence[Mapping[str, Column]]) -> dict[str, Column]:
    """The columns of all parts, whose rows ascend from part to part."""
    named: dict[str, list[Column]] = {}
    for part in parts:
        for name, column in part.items():
            named.setdefault(name, []).append(column)
    return {
        name: found[0]
        if len(found) == 1
        else Column(np.concatenate([c.rows for c in found]), np.concatenate([c.figures for c in found]))
        for name, found in named.items()
    }


def replaced(named: Mapping[str, Column], rows: Rows, new: Mapping[str, Column]) -> dict[str, Column]:
    """The columns without what `rows`, ascending, had, and with what `new` has: of these, and of further rows."""
    found = {}
    for name in dict.fromkeys([*named, *new]):
        old, more = named.get(name, NO_COLUMN), new.get(name, NO_COLUMN)
        starts, ends = old.rows.searchsorted(rows), old.rows.searchsorted(rows, "right")
        counts = ends - starts
        lost = np.repeat(ends - counts.cumsum(), counts) + np.arange(counts.sum())
        if np.array_equal(old.rows[lost], more.rows):  # no name came or went, as is mostly so: nothing moves
            figures = old.figures.copy()
            figures[lost] = more.figures
            found[name] = Column(old.rows, figures)
            continue
        left, figures = np.delete(old.rows, lost), np.delete(old.figures, lost)
        at = left.searchsorted(more.rows)
        if len(left) + len(at):
            found[name] = Column(np.insert(left, at, more.rows), np.insert(figures, at, more.figures))
    return found


def moved_up(named: Mapping[str, Column], alive: NDArray[np.bool_], place: Rows) -> dict[str, Column]:
    """The columns without the rows that are not `alive`; `place` says where each of the others goes."""
    found = {}
    for name, column in named.items():
        kept = alive[column.rows]
        if kept.any():
            found[name] = Column(place[column.rows[kept]], column.figures[kept])
    return found


def packed(named: Mapping[str, Column], prefix: str) -> dict[str, Any]:
    """Columns as a few arrays, to be saved beside others: their names begin with `prefix`."""
    found = list(named.values())
    return {
        f"{prefix}_names": np.frombuffer(json.dumps(list(named)).encode(), dtype=np.uint8),
        f"{prefix}_starts": np.cumsum([0, *(len(column.rows) for column in found)], dtype=np.int64),
        f"{prefix}_rows": np.concatenate([NO_COLUMN.rows, *(column.rows for column in found)]),
        f"{prefix}_figures": np.concatenate([NO_COLUMN.figures, *(column.figures for column in found)]),
    }


def unpacked(arrays: Mapping[str, Any], prefix: str) -> dict[str, Column]:
    """What `packed` made of columns."""
    names, starts = json.loads(arrays[f"{prefix}_names"].tobytes()), arrays[f"{prefix}_starts"].tolist()
    rows, figures = arrays[f"{prefix}_rows"], arrays[f"{prefix}_figures"]
    spans = map(slice, starts, starts[1:])
    return {name: Column(rows[span], figures[span]) for name, span in zip(names, spans, strict=True)}

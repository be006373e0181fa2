"""Numbers of items by name, for filters: rows and their figures, exact, so that a range is one comparison of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
        """The rows whose figure is in the range."""
        return self.rows[(self.figures >= wanted.low) & (self.figures <= wanted.high)]


NO_COLUMN = Column(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float64))


def columns(numbers: Sequence[Mapping[str, float]], *, first: int = 0) -> dict[str, Column]:
    """One column per name; `numbers` are those of the rows from `first` on."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row, named in enumerate(numbers, start=first):
        for name, figure in named.items():
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

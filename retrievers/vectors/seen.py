"""What one request sees of the vectors, while others add and delete."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.types import Floats, ItemId
from retrievers.vectors.rows import Rows, compare_some


@dataclass(frozen=True, slots=True)
class SeenVectors:
    """`row`, by id, may be that of a writer who is just renumbering: a row counts only if it holds that very item."""

    rows: Rows
    row: Mapping[ItemId, int]

    @property
    def numbering(self) -> object:
        """Another one when an item's row may hold another item: until then rows are only added, or emptied."""
        return self.rows.ids

    def rows_of(self, item_ids: Sequence[ItemId]) -> NDArray[np.intp]:
        """[items] -1 where there is no vector."""
        get, ids, count = self.row.get, self.rows.ids, self.rows.count
        found = [row if 0 <= (row := get(each, -1)) < count and ids[row] == each else -1 for each in item_ids]
        return np.array(found, dtype=np.intp)

    def mean(self, weights: Mapping[ItemId, float]) -> Floats | None:
        """[dimension] weighted mean vector, of length 1, of those of the items that are there; None when none is."""
        rows = self.rows_of(list(weights))
        there = rows >= 0
        if not there.any():
            return None
        total = np.array(list(weights.values()), dtype=np.float32)[there] @ self.rows.vectors[rows[there]]
        length = math.sqrt(total @ total)
        return np.asarray(total / length, dtype=np.float32) if length > 0 else None

    def cosines(self, vector: Floats, rows: NDArray[np.intp]) -> Floats:
        """[rows] inner products of their unit vectors with this one, 0 where a row was emptied or is not there."""
        there = (rows >= 0) & (rows < self.rows.count)
        cosines = compare_some(self.rows, vector, rows * there)
        return cosines * there

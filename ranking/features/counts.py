"""What a model counted per item, by slot, and its sums by type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Floats, Item, ItemId
from ranking.features.item_columns import ItemColumns
from ranking.features.slots import UNKNOWN, Slots, grown

Doubles = NDArray[np.float64]


class Counts:
    """Figures by slot, 0 for an item that was not counted, and its place among those that were, UNKNOWN if none; and
    what the sums by type, those of the time of `load`, say of each type."""

    def __init__(
        self, slots: Slots, columns: ItemColumns, width: int, of_types: Callable[[Doubles, Doubles], Doubles]
    ) -> None:
        """`width` figures an item. `of_types` is given their sums by type, [types, width], and over all, [width], and
        gives [types, ...]. Slots and columns are kept up to date by somebody else."""
        self._slots = slots
        self._columns = columns
        self._width = width
        self._of_types = of_types
        self.load((), np.zeros((0, width), dtype=np.float32))

    def reload(self) -> None:
        """Take the same figures over again, all slots being new."""
        self.load(self._ids, self._figures)

    def load(self, ids: Sequence[ItemId], figures: Floats) -> None:
        """Swap the figures in: [len(ids), width], a row for each of the items."""
        slots = self._slots.look_up_all(ids)
        there = np.flatnonzero(slots != UNKNOWN)
        values = np.zeros((self._slots.size, self._width), dtype=np.float32)
        values[slots[there]] = figures[there]
        types = self._columns.types[slots[there]]
        counted, kinds = figures[there].T, self._columns.type_names.size
        columns = [np.bincount(types, column, minlength=kinds) for column in counted]
        sums = np.stack(columns, axis=1)
        places = np.full(self._slots.size, UNKNOWN, dtype=np.int32)
        places[slots[there]] = there
        self._ids, self._figures = ids, figures
        self._place = dict(zip(ids, range(len(ids)), strict=True))
        self._sums = {
            self._columns.type_names.words[kind]: sums[kind] for kind in np.flatnonzero(np.bincount(types)).tolist()
        }
        self._total: Doubles = sums.sum(axis=0)
        self.values: Floats = values
        self.places: NDArray[np.int32] = places
        self.settle()

    def put(self, slots: Sequence[int], items: Sequence[Item]) -> None:
        """Items are in these slots now."""
        self.values = grown(self.values, max(slots, default=-1) + 1, 0.0)
        self.places = grown(self.places, len(self.values), UNKNOWN)
        places = np.array([self._place.get(item.id, UNKNOWN) for item in items], dtype=np.int32)
        self.places[slots] = places
        self.values[slots] = 0.0
        counted = places != UNKNOWN
        self.values[np.asarray(slots, dtype=np.intp)[counted]] = self._figures[places[counted]]

    def settle(self) -> None:
        """A change is over: types may have come and gone."""
        names = self._columns.type_names.words
        nothing = np.zeros(self._width)
        by_type = np.array([self._sums.get(name, nothing) for name in names], dtype=np.float64)
        self.of_types: Doubles = self._of_types(by_type.reshape(-1, self._width), self._total)

"""The catalogue as columns: a row per item with its prior, its type and its facets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import orjson
from numpy.typing import NDArray

from core.filters import facets
from core.types import Item, ItemId

Ints = NDArray[np.int32]
Mask = NDArray[np.bool_]

PRIOR_GAIN = 0.1
_NONE = -1


def prior_of(item: Item) -> float:
    """Gain per examination to expect by the catalogue's `popularity`.

    A hash of the id, too small to matter otherwise, puts items of equal popularity in an order that is always the same
    and favours no name.
    """
    hashed = crc32(item.id.encode()) / 2**32
    return PRIOR_GAIN * (0.5 + max(item.numbers.get("popularity", 0.5), 0.0)) + 1e-9 * hashed


class CatalogueRows:
    """Rows of gone items are given to new ones. Not safe in several threads."""

    def __init__(self) -> None:
        self.rows: dict[ItemId, int] = {}
        self.ids: list[ItemId] = []
        self.prior = np.zeros(0)  # NaN: nobody's row
        self._type = np.zeros(0, dtype=np.int32)
        self._facets = _Facets()
        self._free: list[int] = []

    def put(self, items: Sequence[Item]) -> list[int]:
        """The rows that are not as they were."""
        self._facets.tidy()
        changed = []
        for item in items:
            row = self.rows.get(item.id)
            if row is None:
                row = self._new(item.id)
            codes = [self._facets.code(facet) for facet in facets(item)]
            prior = prior_of(item)
            if prior != self.prior[row] or codes != self._facets.of(row):
                self.prior[row], self._type[row] = prior, codes[0]
                self._facets.put(row, codes)
                changed.append(row)
        return changed

    def reprice(self, items: Sequence[Item]) -> list[int]:
        """The same of items that are there, whose facets are what they were."""
        priors = {self.rows[item.id]: prior_of(item) for item in items}
        changed = [row for row, prior in priors.items() if prior != self.prior[row]]
        self.prior[changed] = [priors[row] for row in changed]
        return changed

    def drop(self, item_ids: Collection[ItemId]) -> list[int]:
        """The rows that are nobody's now."""
        gone = [self.rows.pop(item_id) for item_id in set(item_ids) if item_id in self.rows]
        for row in gone:
            self.prior[row] = np.nan
            self._facets.put(row, [])
        self._free += gone
        return gone

    def passing(self, filters: Mapping[str, Sequence[str]]) -> Mask:
        """[rows] whether it has one of the wanted values of every filter."""
        passing = ~np.isnan(self.prior)
        for name, wanted in filters.items():
            codes = self._facets.known((name, value) for value in wanted)
            if name == "type":  # an attribute of that name is not asked
                passing &= np.isin(self._type, codes)
            else:
                passing &= self._facets.holding(codes, len(passing))
        return passing

    def save(self, folder: Path) -> None:
        """Write everything to files in this folder."""
        text = {"ids": self.ids, "free": self._free, "facets": self._facets.names()}
        (folder / "rows.json").write_bytes(orjson.dumps(text))
        np.savez(folder / "rows.npz", allow_pickle=False, prior=self.prior, type=self._type, **self._facets.arrays())

    @classmethod
    def saved(cls, folder: Path) -> CatalogueRows:
        """As they were saved there."""
        text: dict[str, Any] = orjson.loads((folder / "rows.json").read_bytes())
        found = cls()
        with np.load(folder / "rows.npz", allow_pickle=False) as arrays:
            found.prior, found._type = arrays["prior"], arrays["type"]
            found._facets = _Facets.restored(map(tuple, text["facets"]), arrays)
        found.ids, found._free = text["ids"], text["free"]
        free = set(found._free)
        found.rows = {item_id: row for row, item_id in enumerate(found.ids) if row not in free}
        return found

    def _new(self, item_id: ItemId) -> int:
        if self._free:
            row = self._free.pop()
            self.ids[row] = item_id
        else:
            row = len(self.ids)
            self.ids.append(item_id)
            self.prior, self._type = _grown(self.prior, row + 1, np.nan), _grown(self._type, row + 1, _NONE)
        self.rows[item_id] = row
        return row


class _Facets:
    """Which row holds which (name, value), as pairs of numbers in two long columns."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], int] = {}
        self._code, self._row = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
        self._first, self._count = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
        self._used = self._dead = 0

    def code(self, facet: tuple[str, str]) -> int:
        """The number of a facet, a new one for a new facet."""
        return self._codes.setdefault(facet, len(self._codes))

    def known(self, wanted: Iterable[tuple[str, str]]) -> list[int]:
        """The numbers of those that any item ever had."""
        return [self._codes[facet] for facet in wanted if facet in self._codes]

    def of(self, row: int) -> list[int]:
        if row >= len(self._first):
            return []
        first = self._first[row]
        codes: list[int] = self._code[first : first + self._count[row]].tolist()
        return codes

    def put(self, row: int, codes: Sequence[int]) -> None:
        """Replace those of the row."""
        self._first, self._count = _grown(self._first, row + 1, 0), _grown(self._count, row + 1, 0)
        first, count = self._first[row], self._count[row]
        self._code[first : first + count] = _NONE
        self._dead += int(count)
        end = self._used + len(codes)
        self._code, self._row = _grown(self._code, end, _NONE), _grown(self._row, end, 0)
        self._code[self._used : end], self._row[self._used : end] = codes, row
        self._first[row], self._count[row], self._used = self._used, len(codes), end

    def holding(self, codes: Sequence[int], rows: int) -> Mask:
        """[rows] whether it holds one of these."""
        found = np.zeros(rows, dtype=np.bool_)
        for code in codes:
            found[self._row[self._code == code]] = True
        return found

    def names(self) -> list[tuple[str, str]]:
        """The facets in the order of their numbers."""
        return list(self._codes)

    def arrays(self) -> Mapping[str, Ints]:
        return {"code": self._code[: self._used], "row": self._row[: self._used], "first": self._first,
                "count": self._count}  # fmt: skip

    @classmethod
    def restored(cls, names: Iterable[tuple[str, ...]], arrays: Mapping[str, Ints]) -> _Facets:
        found = cls()
        found._codes = {(name, value): code for code, (name, value) in enumerate(names)}
        found._code, found._row, found._first, found._count = (
            arrays[name] for name in ("code", "row", "first", "count")
        )
        found._used, found._dead = len(found._code), int(np.count_nonzero(found._code == _NONE))
        return found

    def tidy(self) -> None:
        """Leave out what is held no longer, once it is a third; facets get new numbers."""
        if self._dead <= 1_000 + self._used // 3:
            return
        alive = self._code[: self._used] != _NONE
        held = self._count > 0
        self._first[held] = (np.cumsum(alive) - 1)[self._first[held]]
        names = self.names()
        kept, code = np.unique(self._code[: self._used][alive], return_inverse=True)
        self._codes = {names[old]: new for new, old in enumerate(kept.tolist())}
        self._code, self._row = code.astype(np.int32), self._row[: self._used][alive]
        self._used, self._dead = len(self._code), 0


def _grown(column: NDArray[Any], length: int, fill: float) -> NDArray[Any]:
    """The column itself when it is long enough, else a copy of at least twice the length, filled up."""
    if length <= len(column):
        return column
    grown = np.full(max(length, 2 * len(column), 64), fill, dtype=column.dtype)
    grown[: len(column)] = column
    return grown

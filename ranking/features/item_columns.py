"""What the catalogue says of every item in figures, by slot, and what things of its type usually cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from core.types import Floats, Item
from ranking.features.slots import UNKNOWN, Numbers, grown
from ranking.features.vocabulary import Vocabulary

_NAN = float("nan")
_DAY_S = 86_400.0
_DAYS_PER_YEAR = 365.2425
# The median of all prices counts for so many prices of a type: a type of two items says little about what is usual.
_STRENGTH = 10.0
# The figures of an item: popularity, log(1 + price), year, and when it was born, in days since 1970: `dates.released`,
# else the newest date, else the middle of `numbers.year`.
FIGURES = 4
PRICE = 1
_FILES = ("figures", "types", "brands", "medians")


class ItemColumns:
    """Types, brands and figures by slot. The brand is the first value of the attribute `brand`."""

    def __init__(self, brand: str) -> None:
        self._brand = brand
        self.type_names, self.brand_names = Vocabulary(), Vocabulary()
        self.types = np.zeros(0, dtype=np.int32)
        self.brands = np.zeros(0, dtype=np.int32)
        self._figures = np.zeros((0, FIGURES), dtype=np.float32)
        self._medians = np.zeros(0, dtype=np.float32)

    def figures(self, slots: Numbers) -> Floats:
        """[FIGURES, slots] NaN where there is none."""
        return self._figures.take(slots, axis=0).T

    def usual_prices(self, types: Numbers) -> Floats:
        """[types] the median log price of things of this type, drawn towards that of all where few are known."""
        return self._medians.take(types)

    def put(self, slots: Sequence[int], items: Sequence[Item]) -> None:
        size = max(slots, default=-1) + 1
        self.types, self.brands = grown(self.types, size, UNKNOWN), grown(self.brands, size, UNKNOWN)
        self._figures = grown(self._figures, size, _NAN)
        named = [(item.type, next(iter(item.attributes.get(self._brand, ())), None)) for item in items]
        self.types[slots] = self.type_names.add(kind for kind, _ in named)
        branded = [slot for slot, (_, brand) in zip(slots, named, strict=True) if brand is not None]
        self.brands[slots] = UNKNOWN
        self.brands[branded] = self.brand_names.add(brand for _, brand in named if brand is not None)
        self.put_figures(slots, items)

    def put_figures(self, slots: Sequence[int], items: Sequence[Item]) -> None:
        """Types and brands are what they were in these slots."""
        self._figures[slots] = np.array([_figures(item) for item in items], dtype=np.float32).reshape(-1, FIGURES)

    def drop(self, slots: Sequence[int]) -> None:
        """Nobody reads these slots any more."""
        types, brands = self.types[list(slots)], self.brands[list(slots)]
        self.type_names.drop(types)
        self.brand_names.drop(brands[brands != UNKNOWN])

    def settle(self, changed: Sequence[int], alive: Numbers) -> None:
        """A change of these slots is over; `alive` are all that are in use now."""
        self.type_names.settle()
        self.brand_names.settle()
        if changed:
            self._medians = self._shrunk(np.unique(self.types[list(changed)]), alive)

    def saving(self, alive: Numbers) -> Callable[[Path], None]:
        """Writes, when called, all that there is now, `alive` being the slots in use."""
        names = {"types": [*self.type_names.words], "brands": [*self.brand_names.words]}
        held: dict[str, Any] = {name: column.copy() for name, column in zip(_FILES, self._columns, strict=True)}

        def write(folder: Path) -> None:
            (folder / "names.json").write_bytes(orjson.dumps(names))
            with (folder / "items.npz").open("wb") as file:
                np.savez(file, alive=alive, **held)

        return write

    def restore(self, folder: Path) -> None:
        names = orjson.loads((folder / "names.json").read_bytes())
        with np.load(folder / "items.npz", allow_pickle=False) as stored:
            self._figures, self.types, self.brands, self._medians = (stored[name] for name in _FILES)
            alive = stored["alive"]
        brands = self.brands[alive]
        self.type_names = Vocabulary(names["types"], self.types[alive])
        self.brand_names = Vocabulary(names["brands"], brands[brands != UNKNOWN])

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        """In the order of _FILES."""
        return self._figures, self.types, self.brands, self._medians

    def _shrunk(self, types: NDArray[np.int32], alive: Numbers) -> Floats:
        """The medians by type, computed anew for these and, with a new median of all, drawn towards it."""
        prices, kinds = self._figures[alive, PRICE], self.types[alive]
        priced = ~np.isnan(prices)
        prices, kinds = prices[priced], kinds[priced]
        overall = float(np.median(prices)) if prices.size else _NAN
        medians = np.full(max(self.type_names.size, 1), overall, dtype=np.float32)
        medians[: len(self._medians)] = self._medians[: len(medians)]
        wanted = np.zeros(len(medians), dtype=bool)
        wanted[types] = True
        medians[types] = overall
        of_wanted = wanted[kinds]
        found, counts, middles = _middles(kinds[of_wanted], prices[of_wanted])
        medians[found] = (counts * middles + _STRENGTH * overall) / (counts + _STRENGTH)
        return medians


def above_median(prices: Floats) -> Floats:
    """[prices] how much each is above the median of them, NaN where it is NaN."""
    known = np.sort(prices[~np.isnan(prices)])
    count = len(known)
    if not count:
        return prices
    # What numpy has for the median takes longer than all else here.
    above: Floats = prices - (known[(count - 1) // 2] + known[count // 2]) / 2
    return above


def _middles(kinds: NDArray[np.int32], prices: Floats) -> tuple[Numbers, NDArray[np.int64], Floats]:
    """The kinds there are, how many prices each has, and their medians. Prices are not negative: as integers, their
    bits come in the same order, so that kind and price sort as one number, ten times as fast as one after the other."""
    bits = np.ascontiguousarray(prices + np.float32(0.0)).view(np.uint32)  # the sum makes -0 a 0
    ordered = np.sort(kinds.astype(np.int64) << 32 | bits)
    sizes = np.bincount(kinds)
    found = np.flatnonzero(sizes)
    counts, ends = sizes[found], sizes.cumsum()[found]
    low, high = (
        (ordered[at] & 0xFFFFFFFF).astype(np.uint32).view(np.float32)
        for at in (ends - counts + (counts - 1) // 2, ends - counts + counts // 2)
    )
    return found, counts, (low + high) / 2


def _figures(item: Item) -> tuple[float, float, float, float]:
    numbers = item.numbers
    price, year = numbers.get("price", _NAN), numbers.get("year", _NAN)
    logged = math.log1p(max(price, 0.0)) if not math.isnan(price) else _NAN
    return numbers.get("popularity", _NAN), logged, year, _born(item, year)


def _born(item: Item, year: float) -> float:
    if item.dates:
        return item.dates.get("released", max(item.dates.values())) / _DAY_S
    return (year - 1970 + 0.5) * _DAYS_PER_YEAR

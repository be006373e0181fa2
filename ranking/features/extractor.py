"""All features of the candidates of one query, computed once per request and logged as they were."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import orjson

from core.long_json import write_list
from core.types import Candidate, Features, Floats, Item, ItemId, Query
from core.union import ids_of
from ranking.features.affinity import AffinityFeatures
from ranking.features.arms import ArmFeatures
from ranking.features.asked import Asked, ToSession
from ranking.features.behaviour import BehaviourFeatures
from ranking.features.feature import Feature, Schema
from ranking.features.item import ItemFeatures
from ranking.features.item_columns import PRICE, ItemColumns, above_median
from ranking.features.neural import NeuralFeatures
from ranking.features.popularity import PopularityFeatures
from ranking.features.quality import QualityFeatures
from ranking.features.query import QueryFeatures
from ranking.features.session import SessionFeatures
from ranking.features.slots import REST_S, UNKNOWN, Numbers, Slots
from ranking.features.text import TextFeatures
from ranking.features.vector_rows import VectorRows, Vectors
from ranking.features.words import Words


class Family(Protocol):
    """A group of features; NaN means missing."""

    @property
    def features(self) -> tuple[Feature, ...]: ...

    def compute(self, asked: Asked, out: Floats) -> None:
        """Write [len(features), candidates], a row per feature."""
        ...


class FeatureExtractor:
    """The families side by side. Follows the catalogue: what depends on the item alone lies in arrays by slot, and is
    looked up per request, not computed. A changed item gets a new slot, so that readers never see half of a change; one
    that says what it said, and has another price, stock or date, keeps its slot."""

    def __init__(
        self,
        arms: Sequence[str],
        *,
        brand: str = "brand",
        vectors: Callable[[], Vectors] | None = None,
        related: ToSession | None = None,
        rest_s: float = REST_S,
    ) -> None:
        """`arms`: those that have features. `brand`: the attribute that is the brand. `vectors`: those that there
        are now; `related`: how near items are to a session. Without them these features are missing. `rest_s`: see
        Slots."""
        self._writing = Lock()
        self._slots = Slots(rest_s=rest_s)
        self._columns, self._words = ItemColumns(brand), Words()
        popularity = PopularityFeatures(self._slots, self._columns)
        behaviour = BehaviourFeatures(self._slots, self._columns)
        affinity, self.quality = AffinityFeatures(self._columns), QualityFeatures()
        self._counts, self._vectors = (popularity.counts, behaviour.counts), VectorRows(vectors) if vectors else None
        self._loads = {"popularity": popularity.load, "behaviour": behaviour.load, "profiles": affinity.load}
        self._families: tuple[Family, ...] = (
            ArmFeatures(arms),
            TextFeatures(self._words, self._slots),
            QueryFeatures(self._words),
            ItemFeatures(self._columns),
            popularity,
            behaviour,
            SessionFeatures(self._slots, self._columns, self._vectors, related),
            affinity,
            self.quality,
            NeuralFeatures(),
        )
        self.schema = Schema([feature for family in self._families for feature in family.features])

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            new = {item.id: item for item in upserts}
            gone = set(deletes) - new.keys()
            before = [self._slots.get(item_id) for item_id in new]
            left = [slot for slot in (*map(self._slots.get, gone), *before) if slot != UNKNOWN]
            slots = [self._slots.reserve() for _ in new]
            self._put(slots, list(new.values()), before, left)
            for item_id, slot in zip(new, slots, strict=True):
                self._slots.publish(item_id, slot)
            self._slots.drop(gone)
            self._drop(self._slots.settle())

    def reprice(self, items: Sequence[Item]) -> None:
        """In place: what else there is of these items stays where it is."""
        with self._writing:
            slots = [self._slots.get(item.id) for item in items]
            self._columns.put_figures(slots, items)
            self._columns.settle(slots, self._slots.used)

    def save(self, folder: Path) -> None:
        self.saving()(folder)

    def saving(self) -> Callable[[Path], None]:
        with self._writing:
            keys, alive = [*self._slots.keys], self._slots.used
            columns, words = self._columns.saving(alive), self._words.saving(alive)

        def write(folder: Path) -> None:
            write_list(folder / "slots.json", keys)
            columns(folder)
            words(folder)

        return write

    def restore(self, folder: Path) -> None:
        keys = orjson.loads((folder / "slots.json").read_bytes())
        with self._writing:
            self._columns.restore(folder)
            self._words.restore(folder)
            self._slots.restore(keys)
            for counts in self._counts:
                counts.reload()
            if self._vectors:
                self._vectors.forget()

    @property
    def loads(self) -> Mapping[str, Callable[[bytes | None], None]]:
        """By component: swaps what was learned in, None forgets it."""
        return {component: self._exclusive(load) for component, load in self._loads.items()}

    def extract(self, query: Query, candidates: Sequence[Candidate]) -> Features:
        """One row per candidate, one column per feature of the schema."""
        ids = ids_of(candidates)
        slots = self._slots.look_up(ids)
        if slots.size and slots.min() == UNKNOWN:
            values = self._with_guests(query, candidates, ids)
        else:
            values = self._compute(query, candidates, ids, slots)
        return Features(self.schema.names, values, self.schema.version)

    def timed(self, query: Query, candidates: Sequence[Candidate]) -> Mapping[str, Callable[[], None]]:
        """By family: computes its features of these candidates, whose items are known."""
        ids = ids_of(candidates)
        asked = self._asked(query, candidates, ids, self._slots.look_up(ids))
        rooms = [np.empty((len(family.features), len(candidates)), dtype=np.float32) for family in self._families]
        return {
            type(family).__name__: partial(family.compute, asked, room)
            for family, room in zip(self._families, rooms, strict=True)
        }

    def _compute(self, query: Query, candidates: Sequence[Candidate], ids: Sequence[ItemId], slots: Numbers) -> Floats:
        values = np.empty((len(self.schema.names), len(candidates)), dtype=np.float32)
        if candidates:
            asked, start = self._asked(query, candidates, ids, slots), 0
            for family in self._families:
                family.compute(asked, values[start : (start := start + len(family.features))])
        return np.ascontiguousarray(values.T)

    def _asked(self, query: Query, candidates: Sequence[Candidate], ids: Sequence[ItemId], slots: Numbers) -> Asked:
        types, brands = (column.take(slots).astype(np.intp) for column in (self._columns.types, self._columns.brands))
        figures = self._columns.figures(slots)
        return Asked(query, candidates, ids, slots, types, brands, figures, above_median(figures[PRICE]))

    def _with_guests(self, query: Query, candidates: Sequence[Candidate], ids: Sequence[ItemId]) -> Floats:
        """The same when the catalogue has just lost some of the items, or is about to tell of them: they get slots for
        this one request."""
        with self._writing:
            slots = self._slots.look_up(ids)
            missing = np.flatnonzero(slots == UNKNOWN).tolist()
            guests = [self._slots.reserve() for _ in missing]
            self._put(guests, [candidates[row].item for row in missing], [UNKNOWN] * len(guests))
            slots[missing] = guests
            values = self._compute(query, candidates, ids, slots)
            self._slots.release(guests)
            self._words.retire(guests)
            self._columns.settle(guests, self._slots.used)
            self._drop(guests)
            return values

    def _put(
        self, slots: Sequence[int], items: Sequence[Item], before: Sequence[int], left: Sequence[int] = ()
    ) -> None:
        """`before`: see Words.put. `left`: slots whose items are gone or in one of `slots` now."""
        self._columns.put(slots, items)
        self._words.put(slots, items, before)
        for counts in self._counts:
            counts.put(slots, items)
        if self._vectors:
            self._vectors.put(slots)
        self._slots.retire(left)
        self._words.retire(left)
        self._columns.settle([*slots, *left], self._slots.used)
        self._words.settle()
        for counts in self._counts:
            counts.settle()

    def _drop(self, slots: Sequence[int]) -> None:
        self._columns.drop(slots)
        self._words.drop(slots)

    def _exclusive(self, load: Callable[[bytes | None], None]) -> Callable[[bytes | None], None]:
        def loaded(model: bytes | None) -> None:
            with self._writing:  # what is learned is put in slots, which must not change meanwhile
                load(model)

        return loaded

"""What was learned from clicks, at the slots of a table of terms: evidence about items, and what words mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.lookup import look_up_many
from core.types import Floats, ItemId
from retrievers.ascending import once
from retrievers.q2e.known_queries import KnownQueries, Places
from retrievers.q2e.memory_model import MemoryModel
from retrievers.q2e.prior import Meaning, meaning_of
from retrievers.q2e.term_table import Ints, TermTable

# Neighbouring queries lend their evidence at a weight of at most NEIGHBOUR_WEIGHT, less the farther they are.
NEIGHBOUR_WEIGHT = 0.5
_TAKEN_QUERIES, _TAKEN_ITEMS = 10, 10  # the newest with a word, and the best items of each, tell what it means
_FIRST = np.ones(1, dtype=bool)


class Evidence(NamedTuple):
    """[n] slots, each once, gains and examinations."""

    slots: Ints
    gains: Floats
    examined: Floats


class Learned:
    """A model, where the table has its items, and what look-ups have asked so far. Not thread-safe but for `weights`,
    and for being made: who makes it looks whether it is `current` before anybody asks it.

    `follow` is to be told of every change of the table.
    """

    def __init__(self, model: MemoryModel, queries: KnownQueries, table: TermTable) -> None:
        """`queries`: the model's, among others."""
        self.model = model
        self.queries = queries
        self._table = table
        self._moves = table.moves
        self._places: Mapping[ItemId, int] = dict(zip(model.items, range(len(model.items)), strict=True))
        # The last one is nobody's: place -1 has slot -1.
        self._slots = np.append(look_up_many(model.items, table.slots), -1).astype(np.int32)
        self._disliked = bool((model.gains < 0).any())
        self._taken = np.where(model.gains > 0, model.places, np.int32(-1))
        self._rows = look_up_many([*queries.places], model.rows).astype(np.int32)
        self._meanings: dict[str, Meaning | None] = {}

    @property
    def current(self) -> bool:
        """Whether the items are where the table has them now."""
        return self._moves == self._table.moves

    def follow(self, changed: Collection[ItemId]) -> None:
        """These items stand elsewhere in the table now, or no longer."""
        self._moves = self._table.moves
        for item_id in changed:
            if (place := self._places.get(item_id)) is not None:
                self._slots[place] = self._table.slots.get(item_id, -1)

    def weights(self, key: str, vector: Floats) -> dict[int, float]:
        """Rows of the model that speak for the query, with their weights: its own and its neighbours'."""
        rows = self.model.rows
        near = self.queries.near(key, vector)
        weights = {rows[other]: NEIGHBOUR_WEIGHT * closeness for other, closeness in near.items() if other in rows}
        return {rows[key]: 1.0, **weights} if key in rows else weights

    def evidence(self, weights: Mapping[int, float]) -> Evidence:
        """The items of these rows of the model that are in the table, with weighted sums."""
        model, spans = self.model, [self.model.span(row) for row in weights]
        places, gains, examined = (_parts(values, spans) for values in (model.places, model.gains, model.examined))
        if len(spans) > 1:
            each = np.array([*weights.values()], dtype=np.float32).repeat([span.stop - span.start for span in spans])
            places, gains, examined = _summed(places, gains * each, examined * each)
        elif spans:
            (weight,) = weights.values()
            gains, examined = gains * np.float32(weight), examined * np.float32(weight)
        slots = self._slots.take(places)
        there = slots >= 0
        return Evidence(slots[there], gains[there], examined[there])

    def meaning(self, word: str) -> Meaning | None:
        """What people mean by the word, by what they took; kept, since it takes long to find out."""
        if word not in self._meanings:
            places = self.queries.with_word(word, _TAKEN_QUERIES)
            if not len(places):
                return None
            self._meanings[word] = meaning_of(self._table, word, self._slots_taken(places))
        return self._meanings[word]

    def _slots_taken(self, queries: Places) -> Ints:
        """Of the items that people took most for these queries, each once."""
        rows = self._rows.take(queries[queries < len(self._rows)])  # others came with a newer model
        starts = self.model.starts
        spans = [
            slice(starts[row], min(starts[row] + _TAKEN_ITEMS, starts[row + 1])) for row in rows.tolist() if row >= 0
        ]
        slots = np.sort(self._slots.take(self._places_taken(spans)))
        return once(slots[slots.searchsorted(0) :])

    def _places_taken(self, spans: Sequence[slice]) -> Ints:
        if not self._disliked:  # no sum is needed to know where it is above 0
            return _parts(self._taken, spans)
        places, gains = _summed(_parts(self.model.places, spans), _parts(self.model.gains, spans))
        return places[gains > 0]


def _parts(values: NDArray[Any], spans: Sequence[slice]) -> NDArray[Any]:
    if len(spans) > 1:
        return np.concatenate([values[span] for span in spans])
    return values[spans[0]] if spans else values[:0]


def _summed(places: Ints, *values: Floats) -> tuple[NDArray[Any], ...]:
    """Every place once, ascending, and its sums."""
    order = places.argsort()
    places = places[order]
    starts = np.concatenate([_FIRST[: len(places)], places[1:] != places[:-1]]).nonzero()[0]
    return places[starts], *(
        np.add.reduceat(each[order], starts, dtype=np.float64).astype(np.float32) for each in values
    )

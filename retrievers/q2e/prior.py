"""The memory's cold start: how much each item is believed to be wanted by a query that nobody has asked yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from math import log1p
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.text import query_tokens
from core.types import Floats, Item, ItemId
from retrievers.q2e.predicted import item_terms
from retrievers.q2e.term_table import TermTable
from retrievers.q2e.word_beliefs import WordBeliefs, word_beliefs

_MAX_TOKENS = 16
_MAX_CACHED = 2_000
# An item is remembered when at least this much of the query's information was predicted, and not much less than of the
# best item: for `hp notebook` one of the two is not enough while there are items with both.
_LEAST, _NEAR_BEST = 1 / 3, 1 / 2
# What is left of a belief when the words come in another order, and of a word's when it only qualifies the next.
_ANY_ORDER, _QUALIFIER = 0.7, 0.75
_TITLE_SHARE_POWER = 0.25  # long titles are no worse answers, only less sure ones
_LEAST_POPULAR = 0.75  # to 1.25 for the most popular
_LEAST_BELIEF = 1e-6  # of a candidate, however many share it


class _Tally(NamedTuple):
    """What the query's words add up to, per slot; `total` is the information of the whole query.

    `covered`: information predicted; `central`: the same, weighted by how central the words are; `titled`: words in the
    title; `adjacent`: pairs of words that the title has in the same order.
    """

    total: float
    covered: Floats
    central: Floats
    titled: Floats
    adjacent: Floats


class _Look(NamedTuple):
    """Candidate slots, ascending, and their beliefs (0..1)."""

    slots: NDArray[np.intp]
    beliefs: Floats


class Prior:
    """Belief in 0..1 by item: how well the query fits the item, less the more items it fits.

    A query that was not predicted as a whole backs off to the largest part of it that was. The statistics of the
    catalogue are taken when a word is first asked for after a change. One lock: a look-up sees the catalogue before a
    change or after it. Its time grows with the catalogue (four numbers per item).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._table = TermTable()
        self._clicked: Mapping[str, Collection[ItemId]] = {}
        self._cache: dict[str, WordBeliefs] = {}

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        new = {item.id: item_terms(item) for item in upserts}
        with self._lock:
            self._table.remove({*deletes, *new})
            self._table.add(new)
            self._cache = {}

    def learn(self, clicked: Mapping[str, Collection[ItemId]]) -> None:
        """The items that people took for queries with each word."""
        with self._lock:
            self._clicked, self._cache = clicked, {}

    def beliefs(
        self, text: str, most: int, *, wanted: Collection[ItemId] = (), passing: Callable[[ItemId], bool] | None = None
    ) -> dict[ItemId, float]:
        """The `most` most believed items that pass, best first, and then the `wanted` ones that are candidates."""
        with self._lock:
            look, table = self._look(query_tokens(text)[:_MAX_TOKENS]), self._table
            found: dict[ItemId, float] = {}
            for place in _best_first(look, table, most if passing is None else None) if most else ():
                item_id = table.ids[look.slots[place]]
                if item_id is not None and (passing is None or passing(item_id)):
                    found[item_id] = float(look.beliefs[place])
                    if len(found) == most:
                        break
            believed = dict(zip(look.slots.tolist(), look.beliefs.tolist(), strict=True)) if wanted else {}
            for item_id in wanted:
                if (slot := table.slots.get(item_id, -1)) in believed:
                    found[item_id] = believed[slot]
        return found

    def known(self, text: str) -> float:
        """The share of the query's words that the catalogue has: 0..1, without looking any item up."""
        words = query_tokens(text)[:_MAX_TOKENS]
        return sum(map(self._in_catalogue, words)) / len(words) if words else 0.0

    def predicted(self, word: str) -> frozenset[ItemId]:
        """The items that the word (a token) is predicted for."""
        with self._lock:
            slots = self._word(word).slots.tolist()
            return frozenset(item_id for item_id in (self._table.ids[slot] for slot in slots) if item_id is not None)

    def _in_catalogue(self, word: str) -> bool:
        number = self._table.number(word)
        return number > 0 and len(self._table.rows(number)) > 0

    def _look(self, words: Sequence[str]) -> _Look:
        tally = self._tally(words)
        if not tally.total:
            return _Look(np.empty(0, dtype=np.intp), tally.covered[:0])
        enough = max(_LEAST * tally.total, _NEAR_BEST * float(tally.covered.max()))
        slots = np.flatnonzero(tally.covered >= enough)
        share = np.minimum((tally.titled[slots] + 0.5) / (self._table.title_lengths[slots] + 0.5), 1)
        order = _ANY_ORDER + (1 - _ANY_ORDER) * tally.adjacent[slots] / (len(words) - 1) if len(words) > 1 else 1.0
        popular = _LEAST_POPULAR + 2 * (1 - _LEAST_POPULAR) * self._table.popularity[slots]
        beliefs = tally.central[slots] / tally.total * order * share**_TITLE_SHARE_POWER * popular
        shared = beliefs * _specificity(len(slots), len(self._table))
        return _Look(slots, np.clip(shared, _LEAST_BELIEF, 1).astype(np.float32))

    def _tally(self, words: Sequence[str]) -> _Tally:
        table, total = self._table, 0.0
        covered, central, titled, adjacent = np.zeros((4, len(table.ids)), dtype=np.float32)
        asked = np.zeros(len(table.counts), dtype=bool)
        asked[[table.number(word) for word in words]] = True
        for word, after in pairwise([*words, ""]):
            found = self._word(word)
            slots, information = found.slots, _specificity(len(found.slots), len(table))
            total += information
            qualifies = found.compound & ~asked[found.following]
            covered[slots] += information * found.chance
            central[slots] += information * np.where(qualifies, _QUALIFIER, 1) * found.weight
            titled[slots] += found.titled
            if following := table.number(after):
                adjacent[slots] += found.following == following
        return _Tally(total, covered, central, titled, adjacent)

    def _word(self, word: str) -> WordBeliefs:
        found = self._cache.get(word)
        if found is None:
            slots = self._table.slots
            clicked = [slots[item_id] for item_id in self._clicked.get(word, ()) if item_id in slots]
            found = word_beliefs(self._table, word, clicked)
            if len(self._cache) >= _MAX_CACHED:
                self._cache = {}
            self._cache[word] = found
        return found


def _specificity(items: int, count: int) -> float:
    """How much it says to be one of so many items of `count`: 1 for a single one (or none), near 0 for all."""
    return log1p(count / max(items, 1)) / log1p(count) if count else 0.0


def _best_first(look: _Look, table: TermTable, most: int | None) -> list[int]:
    """Places in `look`, at least the best `most` (None: all), ties in the order of `tie`."""
    places = np.arange(len(look.slots))
    if most is not None and most < len(places):
        places = np.flatnonzero(look.beliefs >= np.partition(look.beliefs, -most)[-most])
    order: list[int] = places[np.lexsort((table.ties[look.slots[places]], -look.beliefs[places]))].tolist()
    return order

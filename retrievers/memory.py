"""The memory arm (Q2E): query -> items, predicted at first and smoothly replaced by what people clicked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import log1p
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.filters import NO_FILTERS, Filters, passes
from core.text import query_key, query_tokens
from core.types import Floats, Item, ItemId, Query, Scored
from retrievers.q2e.known_queries import KnownQueries
from retrievers.q2e.memory_model import MemoryModel
from retrievers.q2e.predicted import item_terms
from retrievers.q2e.prior import MAX_WORDS, Beliefs, Meaning, believed, meaning_of
from retrievers.q2e.term_table import Ints, TermTable
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings

# The prior: belief 1.0 means this gain per examination, and counts as this many examinations.
PRIOR_GAIN = 0.3
PRIOR_STRENGTH = 4.0
# Items that nobody has seen for the query fill an answer up to so many, those that people took counted: more of them
# crowd out what was learned.
MOST_PREDICTED = 10
# Neighbouring queries lend their evidence at a weight of at most NEIGHBOUR_WEIGHT, less the farther they are.
NEIGHBOUR_WEIGHT = 0.5
_TAKEN_QUERIES = 10  # with a word, that tell what it means
_BATCH = 100  # items that are taken in at a time, for searches to come in between


Generate = Callable[[Sequence[Item]], Sequence[Sequence[str]]]


class Entry(NamedTuple):
    """What the memory holds of one item for one query."""

    item_id: ItemId
    belief: float
    gain: float
    examined: float
    posterior: float

    @property
    def prior(self) -> float:
        """The gain per examination that the belief stands for."""
        return PRIOR_GAIN * self.belief

    @property
    def predicted(self) -> bool:
        return not self.examined


class Recollection(NamedTuple):
    """Entries, best first, and the learned queries that lend their evidence, as they were asked, with their weights."""

    entries: list[Entry]
    neighbours: dict[str, float]


class _Evidence(NamedTuple):
    """What was learned: [n] places among the model's items, gains and examinations."""

    places: Ints
    gains: Floats
    examined: Floats


class _Learned(NamedTuple):
    """A model, where the table of terms has its items (`slots`, -1: nowhere), and what look-ups have asked so far."""

    model: MemoryModel
    queries: KnownQueries
    places: Mapping[ItemId, int]
    slots: Ints
    meanings: dict[str, Meaning | None]


class MemoryRetriever:
    """Posterior mean gain per examination of every item that was clicked, or is predicted, for the query.

    One lock: a look-up sees the catalogue between two batches of changes.
    """

    name = "memory"

    def __init__(
        self,
        embeddings: StoredEmbeddings,
        query_vector: QueryVectors,
        items: Mapping[ItemId, Item],
        *,
        generate: Generate | None = None,
    ) -> None:
        """`items`: all there are, by id; followed, not changed. `generate` makes up queries for each of some items."""
        self._embeddings = embeddings
        self._query_vector = query_vector
        self._items = items
        self._generate = generate
        self._lock = Lock()
        self._table = TermTable()
        no_queries = KnownQueries([], np.empty((0, embeddings.dimension), dtype=np.float32))
        self._learned = self._placed(MemoryModel.empty(), no_queries)

    def load(self, model: bytes | None) -> None:
        """Swap the learned part in; None forgets it."""
        learned = MemoryModel.load(model) if model else MemoryModel.empty()
        queries = self._known(learned)
        with self._lock:
            self._learned = self._placed(learned, queries)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._lock:
            self._table.remove(deletes)
            self._follow(deletes)
        for start in range(0, len(upserts), _BATCH):
            batch = upserts[start : start + _BATCH]
            generated = self._generate(batch) if self._generate else [()] * len(batch)
            new = {item.id: item_terms(item, made) for item, made in zip(batch, generated, strict=True)}
            with self._lock:
                self._table.remove(new, replaced=True)
                self._table.add(new)
                self._follow(new)

    def save(self, folder: Path) -> None:
        """Write everything `restore` needs into this existing, empty folder; what was learned is not part of it."""
        self._table.save(folder)

    def restore(self, folder: Path) -> None:
        """Become what was saved."""
        with self._lock:
            self._table.restore(folder)
            self._learned = self._placed(self._learned.model, self._learned.queries)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        return [
            Scored(entry.item_id, entry.posterior, predicted=entry.predicted)
            for entry in self.entries(query.text, depth, query.filters)
        ]

    def signals(self, query: Query) -> Mapping[str, float]:
        """How much of the query could be predicted, whether and how much it was seen, how well its best item does."""
        model, words = self._learned.model, query_tokens(query.text)[:MAX_WORDS]
        row = model.rows.get(query_key(query.text))
        observed = row is not None
        return {
            "predicted": sum(self._table.number(word) > 0 for word in words) / max(len(words), 1),
            "observed": float(observed),
            "evidence": log1p(model.examined_by_query[row]) / 8 if observed else 0.0,
            "best": float(model.best_rate[row]) if observed else 0.0,
        }

    def predicted(self, text: str, item_ids: Collection[ItemId]) -> bool:
        """Whether all words of the query are predicted for one of these items."""
        table = self._table
        numbers = {table.number(word) for word in query_tokens(text)}
        rows = [set(table.words[table.slots[item_id]].tolist()) for item_id in item_ids if item_id in table.slots]
        return 0 not in numbers and any(numbers <= row for row in rows)

    def recall(self, text: str, most: int) -> Recollection:
        """What the memory holds for the query: the `most` best entries."""
        learned = self._learned
        own = learned.model.rows.get(query_key(text))
        weights = self._weights(learned, text)
        neighbours = {learned.model.texts[row]: weight for row, weight in weights.items() if row != own}
        return Recollection(self.entries(text, most), neighbours)

    def entries(self, text: str, most: int = 1_000, filters: Filters = NO_FILTERS) -> list[Entry]:
        """The `most` best entries for the query, best first. See MOST_PREDICTED for the unseen."""
        learned = self._learned
        evidence = _evidence(learned.model, self._weights(learned, text))
        with self._lock:
            slots = learned.slots[evidence.places]
            there = slots >= 0
            seen, unseen = believed(
                self._table, query_tokens(text), slots[there], lambda word: self._meaning(learned, word)
            )
            left = max(0, MOST_PREDICTED - int(np.count_nonzero(evidence.gains[there] > 0)))
            predicted = self._best(unseen, set(seen.slots.tolist()), min(most, left), filters)
            nothing = np.zeros(len(predicted), dtype=np.float32)
            return self._entries(
                np.concatenate([seen.slots, unseen.slots[predicted]]),
                np.concatenate([seen.values, unseen.values[predicted]]),
                np.concatenate([evidence.gains[there], nothing]),
                np.concatenate([evidence.examined[there], nothing]),
                most=most,
                filters=filters,
            )

    def _best(self, found: Beliefs, seen: set[int], most: int, filters: Filters) -> list[int]:
        """Places of the `most` best that were not seen and pass."""
        best: list[int] = []
        places = np.arange(len(found.slots)) if filters else _first(found.values, most + len(seen))
        for place in places[np.lexsort((self._table.ties[found.slots[places]], -found.values[places]))].tolist():
            if len(best) == most:
                break
            slot = int(found.slots[place])
            if slot not in seen and self._passes(slot, filters):
                best.append(place)
        return best

    def _entries(
        self, slots: Ints, beliefs: Floats, gains: Floats, examined: Floats, *, most: int, filters: Filters
    ) -> list[Entry]:
        """Best first. What was only shown, and never predicted nor clicked, is no memory."""
        # As core.rates.posterior, for all at once.
        means = (PRIOR_STRENGTH * PRIOR_GAIN * beliefs + np.maximum(gains, 0)) / (PRIOR_STRENGTH + examined)
        known = np.flatnonzero((beliefs > 0) | (gains > 0))
        order = known[np.lexsort((self._table.ties[slots[known]], -means[known]))]
        if filters:
            order = order[[self._passes(slot, filters) for slot in slots[order].tolist()]]
        order = order[:most]
        figures = np.stack([beliefs, gains, examined, means])[:, order].tolist()
        ids = (self._table.ids[slot] for slot in slots[order].tolist())
        return [Entry(item_id, *each) for item_id, *each in zip(ids, *figures, strict=True) if item_id is not None]

    def _passes(self, slot: int, filters: Filters) -> bool:
        item_id = self._table.ids[slot]
        return item_id is not None and passes(item_id, self._items, filters)

    def _weights(self, learned: _Learned, text: str) -> dict[int, float]:
        """Rows of the model that speak for the query, with their weights: its own and its neighbours'."""
        key, rows = query_key(text), learned.model.rows
        if not key or not rows:
            return {}
        near = learned.queries.near(key, self._query_vector(text))
        weights = {rows[other]: NEIGHBOUR_WEIGHT * closeness for other, closeness in near.items() if other in rows}
        return {rows[key]: 1.0, **weights} if key in rows else weights

    def _meaning(self, learned: _Learned, word: str) -> Meaning | None:
        if word not in learned.meanings:
            if not (keys := learned.queries.with_word(word, _TAKEN_QUERIES)):
                return None
            asked = (learned.model.rows.get(key) for key in keys)
            taken = _evidence(learned.model, {row: 1.0 for row in asked if row is not None})
            slots = learned.slots[taken.places[taken.gains > 0]]
            learned.meanings[word] = meaning_of(self._table, word, slots[slots >= 0])
        return learned.meanings[word]

    def _placed(self, model: MemoryModel, queries: KnownQueries) -> _Learned:
        slots = [self._table.slots.get(item_id, -1) for item_id in model.items]
        places = {item_id: place for place, item_id in enumerate(model.items)}
        return _Learned(model, queries, places, np.array(slots, dtype=np.int32), {})

    def _follow(self, changed: Collection[ItemId]) -> None:
        """Items stand elsewhere in the table now."""
        _, _, places, slots, _ = self._learned
        for item_id in changed:
            if (place := places.get(item_id)) is not None:
                slots[place] = self._table.slots.get(item_id, -1)

    def _known(self, model: MemoryModel) -> KnownQueries:
        """The queries known so far and the model's; without those of before when they are the most."""
        known = self._learned.queries
        new = [row for row, key in enumerate(model.keys) if key not in known.places]
        vectors = self._embeddings.encode([model.texts[row] for row in new])
        if len(known) + len(new) <= 2 * min(len(model.keys), known.first):
            known.add([model.keys[row] for row in new], vectors)
            return known
        every = np.empty((len(model.keys), self._embeddings.dimension), dtype=np.float32)
        every[new] = vectors
        old = [row for row, key in enumerate(model.keys) if key in known.places]
        every[old] = known.vectors[[known.places[model.keys[row]] for row in old]]
        return KnownQueries(model.keys, every)


def _first(values: Floats, most: int) -> NDArray[np.intp]:
    """Places of the largest values: all that are no smaller than the last of the `most`."""
    least = np.partition(values, -most)[-most] if 0 < most < len(values) else 0.0
    return np.flatnonzero(values >= least)


def _evidence(model: MemoryModel, weights: Mapping[int, float]) -> _Evidence:
    """The items of these rows of the model, each once, with weighted sums."""
    spans = [(model.span(row), np.float32(weight)) for row, weight in weights.items()]
    places = np.concatenate([model.places[:0], *(model.places[span] for span, _ in spans)])
    gains = np.concatenate([model.gains[:0], *(weight * model.gains[span] for span, weight in spans)])
    examined = np.concatenate([model.examined[:0], *(weight * model.examined[span] for span, weight in spans)])
    if len(spans) > 1:
        places, item = np.unique(places, return_inverse=True)
        gains, examined = (np.bincount(item, values, len(places)).astype(np.float32) for values in (gains, examined))
    return _Evidence(places, gains, examined)

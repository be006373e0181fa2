"""The memory arm (Q2E): query -> items, predicted at first and smoothly replaced by what people clicked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from math import log1p
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np

from core.filters import NO_FILTERS, Filters, passes
from core.pace import unhurried
from core.text import query_key, query_tokens
from core.types import Item, ItemId, Query, Scored
from retrievers.q2e.known_queries import KnownQueries, followed
from retrievers.q2e.learned import Learned
from retrievers.q2e.memory_model import MemoryModel
from retrievers.q2e.predicted import item_terms, popularity
from retrievers.q2e.prior import MAX_WORDS, believed
from retrievers.q2e.ranked import PRIOR_GAIN, ranked
from retrievers.q2e.term_table import TermTable
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings

_BATCH = 50  # items that are taken in at a time, for searches to come in between


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
        self._learned = Learned(MemoryModel.empty(), no_queries, self._table)

    def load(self, model: bytes | None) -> None:
        """Swap the learned part in; None forgets it."""
        new = MemoryModel.load(model) if model else MemoryModel.empty()
        queries = followed(
            self._learned.queries,
            new.keys,
            lambda rows: self._embeddings.encode_queries([new.texts[row] for row in rows]),
            self._embeddings.dimension,
        )
        learned = Learned(new, queries, self._table)  # beside the look-ups, which need not wait for that
        with self._lock:
            self._learned = learned if learned.current else self._placed(learned)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._lock:
            self._table.remove(deletes)
            self._learned.follow(deletes)
        for start in range(0, len(upserts), _BATCH):
            batch = upserts[start : start + _BATCH]
            generated = self._generate(batch) if self._generate else [()] * len(batch)
            new = {item.id: item_terms(item, made) for item, made in unhurried(zip(batch, generated, strict=True))}
            with self._lock:
                self._table.put(new)
                self._learned.follow(new)

    def reprice(self, items: Sequence[Item]) -> None:
        for start in range(0, len(items), _BATCH):
            with self._lock:
                self._table.reprice({item.id: popularity(item) for item in items[start : start + _BATCH]})

    def save(self, folder: Path) -> None:
        self.saving()(folder)

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, everything that `restore` needs; what was learned is not part of it."""
        return self._table.saving()

    def restore(self, folder: Path) -> None:
        """Become what was saved."""
        with self._lock:
            self._table.restore(folder)
            self._learned = self._placed(self._learned)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        learned = self._learned
        found = self._found(learned, self._weights(learned, query.text), query.text, depth, query.filters)
        return [Scored(item_id, posterior, not examined) for item_id, _, _, examined, posterior in found]

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
        """What the memory holds for the query: the `most` best entries. See MOST_PREDICTED for the unseen."""
        learned = self._learned
        own, weights = learned.model.rows.get(query_key(text)), self._weights(learned, text)
        neighbours = {learned.model.texts[row]: weight for row, weight in weights.items() if row != own}
        found = self._found(learned, weights, text, most, NO_FILTERS)
        return Recollection([Entry(*each) for each in found], neighbours)

    def _weights(self, learned: Learned, text: str) -> dict[int, float]:
        key = query_key(text)
        return learned.weights(key, self._query_vector(text)) if key and learned.model.rows else {}

    def _found(
        self, learned: Learned, weights: Mapping[int, float], text: str, most: int, filters: Filters
    ) -> list[tuple[ItemId, float, float, float, float]]:
        """Ids, beliefs, gains, examinations and posteriors, best first."""
        with self._lock:
            if not learned.current:  # replaced meanwhile, and no longer told where the items are
                learned = self._placed(learned)
            evidence, table = learned.evidence(weights), self._table
            seen, unseen = believed(table, query_tokens(text), evidence.slots, learned.meaning)
            passing = partial(self._passes, filters) if filters else None
            slots, *figures = ranked(evidence, seen.values, unseen, table.ties, most, passing)
            ids = [table.ids[slot] for slot in slots.tolist()]
        each = zip(ids, *(values.tolist() for values in figures), strict=True)
        return [(item_id, *found) for item_id, *found in each if item_id is not None]

    def _passes(self, filters: Filters, slot: int) -> bool:
        item_id = self._table.ids[slot]
        return item_id is not None and passes(item_id, self._items, filters)

    def _placed(self, learned: Learned) -> Learned:
        """The same, where the table has the items now."""
        return Learned(learned.model, learned.queries, self._table)

"""The memory arm (Q2E): query -> items, predicted at first and smoothly replaced by what people clicked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log1p
from threading import Lock
from typing import NamedTuple

import numpy as np

from core.filters import Filters, matches
from core.rates import posterior
from core.text import query_key, query_tokens
from core.types import Floats, Item, ItemId, Query, Scored
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.q2e.memory_model import MemoryModel
from retrievers.q2e.prior import Prior
from retrievers.q2e.term_table import tie

# The prior: belief 1.0 means this gain per examination, and counts as this many examinations.
PRIOR_GAIN = 0.3
PRIOR_STRENGTH = 4.0
MOST = 200  # predicted items that `entries` lists
# Neighbouring queries lend their evidence at a weight of at most NEIGHBOUR_WEIGHT, less the farther they are.
NEIGHBOURS = 5
NEIGHBOUR_WEIGHT = 0.5
# Only queries that mean the same, spelt or put a little differently: `ps4 games` and `ps4` are near for the encoder
# (0.85) and want other things, and what is lent to the wrong query misleads as surely as what it learned itself.
_COSINE_FLOOR = 0.9
_TRIGRAM_FLOOR = 0.6

Evidence = dict[ItemId, tuple[float, float]]  # gain and examinations


class Entry(NamedTuple):
    """What the memory holds of one item for one query."""

    item_id: ItemId
    belief: float
    gain: float
    examined: float
    posterior: float


@dataclass(frozen=True, slots=True)
class _Learned:
    """A model made ready for look-ups."""

    model: MemoryModel
    vectors: Floats
    trigrams: Mapping[str, np.ndarray[tuple[int], np.dtype[np.int64]]]
    trigram_counts: np.ndarray[tuple[int], np.dtype[np.int64]]


class MemoryRetriever:
    """Posterior mean gain per examination of every item that was clicked, or is predicted, for the query."""

    name = "memory"

    def __init__(self, embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
        self._embeddings = embeddings
        self._query_vector = query_vector
        self._writing = Lock()
        self._items: dict[ItemId, Item] = {}
        self.prior = Prior()
        self._learned = self._prepare(MemoryModel.empty())

    def load(self, model: bytes | None) -> None:
        """Swap the learned part in; None forgets it."""
        learned = self._prepare(MemoryModel.load(model) if model else MemoryModel.empty())
        self._learned = learned
        self.prior.learn(_clicked(learned.model))

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            for item_id in deletes:
                self._items.pop(item_id, None)
            self._items.update((item.id, item) for item in upserts)
            self.prior.apply(upserts, deletes)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        evidence = self._evidence(query.text, query_key(query.text))
        beliefs = self._beliefs(query.text, depth, evidence, query.filters)
        if not evidence:  # the beliefs are in order already
            return [Scored(each, PRIOR_GAIN * belief, True, belief) for each, belief in beliefs.items()]
        entries = self._entries(beliefs, evidence, query.filters)
        found = [Scored(entry.item_id, entry.posterior, not entry.examined, entry.belief) for entry in entries]
        return sorted(found, key=lambda hit: (-hit.score, tie(hit.item_id)))[:depth]

    def signals(self, query: Query) -> Mapping[str, float]:
        """How much of the query could be predicted, whether and how much it was seen, how well its best item does."""
        learned, key = self._learned, query_key(query.text)
        row = learned.model.rows.get(key)
        observed = row is not None
        return {
            "predicted": self.prior.known(query.text),
            "observed": float(observed),
            "evidence": log1p(learned.model.examined_by_query[row]) / 8 if observed else 0.0,
            "best": float(learned.model.best_rate[row]) if observed else 0.0,
        }

    def entries(self, text: str) -> list[Entry]:
        """What the memory holds for the query and its neighbours, in no particular order; MOST predicted ones."""
        evidence = self._evidence(text, query_key(text))
        return self._entries(self._beliefs(text, MOST, evidence, {}), evidence, {})

    def _beliefs(self, text: str, depth: int, evidence: Evidence, filters: Filters) -> dict[ItemId, float]:
        """Beliefs, the largest first, that the best `depth` answers are among: evidence moves no other items."""
        passing = partial(self._passes, filters) if filters else None
        return self.prior.beliefs(text, depth + len(evidence), wanted=evidence, passing=passing)

    def _entries(self, beliefs: Mapping[ItemId, float], evidence: Evidence, filters: Filters) -> list[Entry]:
        entries = []
        for item_id in {**beliefs, **evidence}:
            belief = beliefs.get(item_id, 0.0)
            gain, examined = evidence.get(item_id, (0.0, 0.0))
            # Items that were only shown, and never predicted nor clicked, are not memories.
            if (belief or gain > 0) and self._passes(filters, item_id):
                mean = posterior(prior=belief * PRIOR_GAIN, strength=PRIOR_STRENGTH, gain=gain, examined=examined)
                entries.append(Entry(item_id, belief, gain, examined, mean))
        return entries

    def _passes(self, filters: Filters, item_id: ItemId) -> bool:
        item = self._items.get(item_id)
        return item is not None and matches(item, filters)

    def _evidence(self, text: str, key: str) -> Evidence:
        """Gain and examinations by item: the query's own plus its neighbours', these with less weight."""
        learned = self._learned
        weights = self._neighbours(learned, text, key)
        if key in learned.model.rows:
            weights[learned.model.rows[key]] = 1.0
        evidence: Evidence = {}
        for row, weight in weights.items():
            for item_id, gain, examined in learned.model.entries(row):
                known_gain, known_examined = evidence.get(item_id, (0.0, 0.0))
                evidence[item_id] = (known_gain + weight * gain, known_examined + weight * examined)
        return evidence

    def _neighbours(self, learned: _Learned, text: str, key: str) -> dict[int, float]:
        """Rows of at most NEIGHBOURS other queries, near in spelling or in meaning, with their weights."""
        count = len(learned.model.rows)
        if not count or not key:
            return {}
        closeness = (learned.vectors @ self._query_vector(text) - _COSINE_FLOOR) / (1 - _COSINE_FLOOR)
        mine = _trigrams(key)
        shared = np.zeros(count)
        for trigram in mine:
            if trigram in learned.trigrams:
                shared[learned.trigrams[trigram]] += 1
        jaccard = shared / (len(mine) + learned.trigram_counts - shared)
        spelling = (jaccard - _TRIGRAM_FLOOR) / (1 - _TRIGRAM_FLOOR)
        near = np.clip(np.maximum(closeness, spelling), 0, 1)
        nearest = np.argsort(-near, kind="stable")[: NEIGHBOURS + 1]
        return {
            int(row): NEIGHBOUR_WEIGHT * float(near[row])
            for row in nearest
            if near[row] > 0 and learned.model.keys[row] != key
        }

    def _prepare(self, model: MemoryModel) -> _Learned:
        rows: dict[str, list[int]] = {}
        counts = []
        for row, key in enumerate(model.keys):
            trigrams = _trigrams(key)
            counts.append(len(trigrams))
            for trigram in trigrams:
                rows.setdefault(trigram, []).append(row)
        return _Learned(
            model=model,
            vectors=self._embeddings.encode(model.texts),
            trigrams={trigram: np.array(found, dtype=np.int64) for trigram, found in rows.items()},
            trigram_counts=np.array(counts, dtype=np.int64),
        )


def _clicked(model: MemoryModel) -> dict[str, set[ItemId]]:
    """Word -> items that were clicked for a query with it."""
    found: dict[str, set[ItemId]] = {}
    for row, text in enumerate(model.texts):
        items = [item_id for item_id, gain, _ in model.entries(row) if gain > 0]
        for word in query_tokens(text):
            found.setdefault(word, set()).update(items)
    return found


def _trigrams(key: str) -> set[str]:
    padded = f"  {key} "
    return {padded[n : n + 3] for n in range(len(padded) - 2)}

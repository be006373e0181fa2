"""The memory arm (Q2E): query -> items, predicted at first and smoothly replaced by what people clicked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log1p
from threading import Lock
from typing import NamedTuple

import numpy as np

from core.filters import matches
from core.rates import posterior
from core.text import query_key
from core.types import Floats, Item, ItemId, Query, Scored
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.q2e.memory_model import MemoryModel
from retrievers.q2e.predicted import predicted_queries

# The prior: belief 1.0 means this gain per examination, and counts as this many examinations.
PRIOR_GAIN = 0.3
PRIOR_STRENGTH = 4.0
# Neighbouring queries lend their evidence at a weight of at most NEIGHBOUR_WEIGHT, less the farther they are.
NEIGHBOURS = 5
NEIGHBOUR_WEIGHT = 0.5
# Only queries that mean the same, spelt or put a little differently: `ps4 games` and `ps4` are near for the encoder
# (0.85) and want other things, and what is lent to the wrong query misleads as surely as what it learned itself.
_COSINE_FLOOR = 0.9
_TRIGRAM_FLOOR = 0.6


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
        self._beliefs: dict[str, dict[ItemId, float]] = {}
        self._keys: dict[ItemId, tuple[str, ...]] = {}
        self._learned = self._prepare(MemoryModel.empty())

    def load(self, model: bytes | None) -> None:
        """Swap the learned part in; None forgets it."""
        self._learned = self._prepare(MemoryModel.load(model) if model else MemoryModel.empty())

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            for item_id in (*deletes, *(item.id for item in upserts)):
                self._items.pop(item_id, None)
                for key in self._keys.pop(item_id, ()):
                    self._beliefs[key].pop(item_id)
                    if not self._beliefs[key]:
                        del self._beliefs[key]
            for item in upserts:
                self._items[item.id] = item
                beliefs = predicted_queries(item)
                self._keys[item.id] = tuple(beliefs)
                for key, belief in beliefs.items():
                    self._beliefs.setdefault(key, {})[item.id] = belief

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        found = (
            Scored(entry.item_id, entry.posterior, predicted=not entry.examined)
            for entry in self.entries(query.text)
            if matches(self._items[entry.item_id], query.filters)
        )
        return nlargest(depth, found, key=lambda hit: (hit.score, hit.item_id))

    def signals(self, query: Query) -> Mapping[str, float]:
        """Whether the query was predicted or seen, how much was seen of it, and how well its best item does."""
        learned, key = self._learned, query_key(query.text)
        row = learned.model.rows.get(key)
        observed = row is not None
        return {
            "predicted": float(key in self._beliefs),
            "observed": float(observed),
            "evidence": log1p(learned.model.examined_by_query[row]) / 8 if observed else 0.0,
            "best": float(learned.model.best_rate[row]) if observed else 0.0,
        }

    def entries(self, text: str) -> list[Entry]:
        """What the memory holds for the query and its neighbours, in no particular order."""
        key = query_key(text)
        beliefs = dict(self._beliefs.get(key, {}))  # a copy: the catalogue may change while we look
        evidence = self._evidence(text, key)
        entries = []
        for item_id in beliefs.keys() | evidence.keys():
            belief = beliefs.get(item_id, 0.0)
            gain, examined = evidence.get(item_id, (0.0, 0.0))
            # Items that were only shown, and never predicted nor clicked, are not memories.
            if item_id in self._items and (belief or gain > 0):
                mean = posterior(prior=belief * PRIOR_GAIN, strength=PRIOR_STRENGTH, gain=gain, examined=examined)
                entries.append(Entry(item_id, belief, gain, examined, mean))
        return entries

    def _evidence(self, text: str, key: str) -> dict[ItemId, tuple[float, float]]:
        """Gain and examinations by item: the query's own plus its neighbours', these with less weight."""
        learned = self._learned
        weights = self._neighbours(learned, text, key)
        if key in learned.model.rows:
            weights[learned.model.rows[key]] = 1.0
        evidence: dict[ItemId, tuple[float, float]] = {}
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


def _trigrams(key: str) -> set[str]:
    padded = f"  {key} "
    return {padded[n : n + 3] for n in range(len(padded) - 2)}

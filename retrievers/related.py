"""The related arm: what people take together with what this session took, or else with what the query finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, repeat
from math import log1p

import numpy as np

from core.filters import matches
from core.protocols import Retriever
from core.types import Floats, Item, ItemId, Query, Scored
from retrievers.document import title
from retrievers.engagements.related_model import RelatedModel

QUERY_SEEDS = 5
HISTORY_SEEDS = 10
# The newest item of a session, or the best hit of a query, counts fully, the one before it this much, and so on.
DECAY = 0.8


class RelatedRetriever:
    """Sums the significance of an item's relations to the seeds, decayed from seed to seed.

    Seeds are the session's items that have relations, else the best hits of `seeds` for the query. What the session
    took already is not offered again; a seed from the query may be, where it relates to another.
    """

    name = "related"

    def __init__(self, seeds: Retriever, items: Mapping[ItemId, Item]) -> None:
        """`seeds` is asked only, and `items` looked up only; both follow the catalogue by themselves."""
        self._seeds = seeds
        self._items = items
        self._model = RelatedModel.empty()

    def load(self, model: bytes | None) -> None:
        """Swap the learned relations in; None forgets them."""
        self._model = RelatedModel.load(model) if model else RelatedModel.empty()

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        model = self._model
        if not model.rows:
            return []
        seeds = _known(model, query)
        if not seeds:
            seeds = [hit.item_id for hit in self._seeds.retrieve(query, QUERY_SEEDS) if hit.item_id in model.rows]
        return list(islice(self._related(model, seeds, query), depth)) if seeds else []

    def signals(self, query: Query) -> Mapping[str, float]:
        """How long the session is, how much of it has relations, how many and how strong these are; and the share of
        the catalogue that has any, which is all there is to say of a query without history."""
        model = self._model
        relations, seeds = model.relations, _known(model, query)
        rows = [model.rows[seed] for seed in seeds]
        count = sum(int(relations.starts[row + 1] - relations.starts[row]) for row in rows)
        strongest = max((float(relations.scores[relations.starts[row]]) for row in rows), default=0.0)
        asked = min(len(query.history), HISTORY_SEEDS)
        return {
            "history": asked / HISTORY_SEEDS,
            "known": len(seeds) / asked if asked else 0.0,
            "relations": log1p(count) / 8,
            "strongest": strongest / (1 + strongest),
            "coverage": min(len(model.rows) / max(len(self._items), 1), 1.0),
        }

    def relatedness(self, session: Sequence[ItemId], item_ids: Sequence[ItemId]) -> Floats:
        """[items] the sum of the significance of these items' relations to the session's (newest last), decayed as in
        answers; 0 for an item that is related to none, NaN for all when no item of the session has relations."""
        model = self._model
        relations = model.relations
        newest = [model.rows[each] for each in dict.fromkeys(session[: -HISTORY_SEEDS - 1 : -1]) if each in model.rows]
        if not newest:
            return np.full(len(item_ids), np.nan, dtype=np.float32)
        spans = [slice(int(relations.starts[row]), int(relations.starts[row + 1])) for row in newest]
        others = np.concatenate([relations.related[span] for span in spans]).tolist()
        scores = np.concatenate([DECAY**age * relations.scores[span] for age, span in enumerate(spans)]).tolist()
        sums: dict[ItemId, float] = {}
        for item_id, score in zip(map(model.item_ids.__getitem__, others), scores, strict=True):
            sums[item_id] = sums.get(item_id, 0.0) + score
        return np.fromiter(map(sums.get, item_ids, repeat(0.0)), np.float32, len(item_ids))

    def _related(self, model: RelatedModel, seeds: Sequence[ItemId], query: Query) -> Iterator[Scored]:
        """Best first, those that may be shown; the reason is the seed that adds most to the score."""
        relations = model.relations
        spans = [
            np.arange(relations.starts[row], relations.starts[row + 1]) for row in map(model.rows.__getitem__, seeds)
        ]
        seed = np.repeat(np.arange(len(seeds)), [len(span) for span in spans])
        entries = np.concatenate(spans)
        parts = DECAY**seed * relations.scores[entries]
        order = np.lexsort((-parts, relations.related[entries]))
        numbers, first = np.unique(relations.related[entries[order]], return_index=True)
        totals = np.add.reduceat(parts[order], first)
        for n in np.argsort(-totals, kind="stable").tolist():
            item = self._items.get(model.item_ids[numbers[n]])
            if item is not None and item.id not in query.history and matches(item, query.filters):
                main = order[first[n]]
                why = self._reason(model, seeds[seed[main]], int(entries[main]))
                yield Scored(item.id, float(totals[n]), why=why)

    def _reason(self, model: RelatedModel, seed: ItemId, entry: int) -> str:
        item = self._items.get(seed)
        name = (title(item) if item else "") or seed
        observed, expected = int(model.relations.observed[entry]), float(model.relations.expected[entry])
        return f"taken together with '{name}' ({observed} customers, {expected:.1f} expected)"


def _known(model: RelatedModel, query: Query) -> list[ItemId]:
    """Those of the session's newest items that have relations, newest first."""
    newest = dict.fromkeys(query.history[: -HISTORY_SEEDS - 1 : -1])
    return [item_id for item_id in newest if item_id in model.rows]

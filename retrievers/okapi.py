"""The lexical arm for small catalogues: rank-bm25's Okapi over the same tokens, and the reference for the other one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from rank_bm25 import BM25Okapi

from core.facets import Facet
from core.filters import matches
from core.types import Item, ItemId, Query, Scored
from retrievers.document import labels, prose
from retrievers.words.analyser import ENGLISH, Analyser
from retrievers.words.facets import count_items, groups


class _Bm25(BM25Okapi):  # type: ignore[misc]
    """Okapi with Lucene's idf, which is above 0 however common a word: a match is always found."""

    def _calc_idf(self, nd: Mapping[str, int]) -> None:
        self.idf = {word: math.log(1 + (self.corpus_size - n + 0.5) / (n + 0.5)) for word, n in nd.items()}


class OkapiRetriever:
    """BM25 (k1 = 1.5, b = 0.75, Lucene's idf) on prose and labels as one text.

    Every query scans all items (94 ms at 100,000), and every change rebuilds the index: use it below 10,000 items.
    """

    name = "lexical"

    def __init__(self, items: Mapping[ItemId, Item], analyser: Analyser = ENGLISH) -> None:
        """`items` is kept up to date by somebody else, before `apply`."""
        self._items = items
        self._analyser = analyser
        self._writing = Lock()
        self._documents: dict[ItemId, list[str]] = {}
        self._state: tuple[list[Item], _Bm25 | None] = ([], None)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        with self._writing:
            for item_id in deletes:
                self._documents.pop(item_id, None)
            for item in upserts:
                self._documents[item.id] = self._analyser.tokens(f"{prose(item)} {labels(item)}")
            items = [self._items[item_id] for item_id in self._documents]
            texts = list(self._documents.values())
            self._state = (items, _Bm25(texts) if texts else None)

    def save(self, folder: Path) -> None:
        """Nothing: a small catalogue is indexed as quickly as it is read."""

    def restore(self, folder: Path) -> None:
        self.apply(list(self._items.values()), [])

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        items, index = self._state
        if index is None:
            return []
        scores = index.get_scores(self._analyser.query_tokens(query.text))
        hits = (
            Scored(items[n].id, float(scores[n]))
            for n in np.argsort(-scores, kind="stable")
            if scores[n] > 0 and matches(items[n], query.filters)
        )
        return [hit for hit, _ in zip(hits, range(depth), strict=False)]

    def facets(self, query: Query, names: Sequence[str]) -> dict[str, Facet]:
        """As the other lexical engine counts them."""
        items, index = self._state
        asked = self._analyser.query_tokens(query.text)
        known = {name for item in items for name in item.numbers}
        if index is not None and asked:
            items = [
                item for item, held in zip(items, index.doc_freqs, strict=True) if not held.keys().isdisjoint(asked)
            ]
        counted: dict[str, Facet] = {}
        for group, filters in groups(names, query.filters):
            passing = [item for item in items if matches(item, filters)]
            numbers = [name for name in group if name in known]
            counted |= count_items(passing, attributes=[name for name in group if name not in known], numbers=numbers)
        return {name: counted[name] for name in names}

    def signals(self, query: Query) -> Mapping[str, float]:
        """The same four figures as the other lexical engine, from this index's own document frequencies."""
        _, index = self._state
        asked = self._analyser.query_tokens(query.text)
        top = max(index.idf.values(), default=1.0) if index else 1.0
        idfs = [index.idf[token] / top for token in asked if token in index.idf] if index else []
        return {
            "known": len(idfs) / max(len(asked), 1),
            "idf_max": max(idfs, default=0.0),
            "idf_mean": sum(idfs) / len(idfs) if idfs else 0.0,
            "idf_min": min(idfs, default=0.0),
        }

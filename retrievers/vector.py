"""The vector arm: nearest items to the query in the encoder's space (faiss, exact inner product)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Condition

import faiss
import numpy as np

from core.filters import matches
from core.types import Floats, Item, ItemId, Query, Scored
from retrievers.document import passage
from retrievers.embeddings import QueryVectors, StoredEmbeddings

Progress = Callable[[int], object]


class VectorRetriever:
    """Cosine similarity over a flat index: exact, 1 ms at 10,000 items; a larger catalogue wants a compressed index."""

    name = "vector"

    def __init__(self, embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
        self._embeddings = embeddings
        self._query_vector = query_vector
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(embeddings.dimension))
        self._items: dict[int, Item] = {}
        self._keys: dict[ItemId, int] = {}
        self._next = 0
        self._gate = _Gate()

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId], progress: Progress = lambda _: None) -> None:
        vectors = self._embeddings.encode([passage(item) for item in upserts], progress)
        with self._gate.writing():
            self._remove([*deletes, *(item.id for item in upserts)])
            # The last of several upserts of one id wins, as everywhere.
            latest = {item.id: row for row, item in enumerate(upserts)}
            keys = np.arange(self._next, self._next + len(latest), dtype=np.int64)
            self._next += len(latest)
            for key, row in zip(keys.tolist(), latest.values(), strict=True):
                self._items[key] = upserts[row]
                self._keys[upserts[row].id] = key
            if latest:
                self._index.add_with_ids(vectors[list(latest.values())], keys)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        if not query.text.strip():
            return []
        vector = self._query_vector(query.text)
        faiss.omp_set_num_threads(1)  # per calling thread: requests run in parallel, not the parts of one
        with self._gate.reading():
            return self._search(vector[None, :], depth, query.filters)

    def signals(self, query: Query) -> Mapping[str, float]:
        """Whether the query's vector is at hand already, which makes this arm cheap."""
        return {"cached": float(query.text in self._query_vector)}

    def _search(self, vector: Floats, depth: int, filters: Mapping[str, tuple[str, ...]]) -> list[Scored]:
        """Filters are applied to ever deeper answers until enough pass: right for any filter, quick for loose ones."""
        total = self._index.ntotal
        asked = min(depth if not filters else 4 * depth, total)
        while asked:
            scores, keys = self._index.search(vector, asked)
            found = [
                Scored(self._items[key].id, score)
                for key, score in zip(keys[0].tolist(), scores[0].tolist(), strict=True)
                if matches(self._items[key], filters)
            ]
            if len(found) >= depth or asked == total:
                return found[:depth]
            asked = min(4 * asked, total)
        return []

    def _remove(self, ids: Collection[ItemId]) -> None:
        keys = [self._keys.pop(item_id) for item_id in dict.fromkeys(ids) if item_id in self._keys]
        for key in keys:
            del self._items[key]
        if keys:
            self._index.remove_ids(faiss.IDSelectorBatch(np.array(keys, dtype=np.int64)))


class _Gate:
    """Many readers or one writer: faiss searches may share an index, but not with a change of it."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._readers = 0
        self._writing = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._condition:
            self._condition.wait_for(lambda: not self._writing)
            self._readers += 1
        try:
            yield
        finally:
            with self._condition:
                self._readers -= 1
                self._condition.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._condition:
            self._condition.wait_for(lambda: not self._writing)
            self._writing = True
            self._condition.wait_for(lambda: self._readers == 0)
        try:
            yield
        finally:
            with self._condition:
                self._writing = False
                self._condition.notify_all()

"""Arms with a table of items of their own, told of changes in the order that the service keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.indexing.indexer import ItemTable
from core.types import Item, ItemId
from retrievers.memory import MemoryRetriever
from retrievers.okapi import OkapiRetriever
from retrievers.popular import PopularRetriever
from retrievers.structured import StructuredRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings
from retrievers.words.analyser import ENGLISH, Analyser


class Structured(StructuredRetriever):
    """Told before the table."""

    def __init__(self) -> None:
        self.items = ItemTable()
        super().__init__(self.items)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        super().apply(upserts, deletes)
        self.items.apply(upserts, deletes)


class Okapi(OkapiRetriever):
    """Told after the table."""

    def __init__(self, analyser: Analyser = ENGLISH) -> None:
        self.items = ItemTable()
        super().__init__(self.items, analyser)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self.items.apply(upserts, deletes)
        super().apply(upserts, deletes)


class Memory(MemoryRetriever):
    """Told after the table."""

    def __init__(self, embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
        self.items = ItemTable()
        super().__init__(embeddings, query_vector, self.items)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self.items.apply(upserts, deletes)
        super().apply(upserts, deletes)


class Popular(PopularRetriever):
    """Told after the table."""

    def __init__(self) -> None:
        self.items = ItemTable()
        super().__init__(self.items)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self.items.apply(upserts, deletes)
        super().apply(upserts, deletes)

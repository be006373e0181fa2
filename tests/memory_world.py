"""A memory arm with the table of items that it shares with the service."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core.types import Item, ItemId
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.memory import MemoryRetriever


class Memory(MemoryRetriever):
    """Keeps the table of items itself; in the service the indexer does."""

    def __init__(self, embeddings: StoredEmbeddings, query_vector: QueryVectors) -> None:
        self.table: dict[ItemId, Item] = {}
        super().__init__(embeddings, query_vector, self.table)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        for item_id in deletes:
            self.table.pop(item_id, None)
        self.table.update((item.id, item) for item in upserts)
        super().apply(upserts, deletes)

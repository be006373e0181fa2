"""The structured arm with a table of items of its own, told of changes in the order that the service keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.indexer import ItemTable
from core.types import Item, ItemId
from retrievers.structured import StructuredRetriever


class Structured(StructuredRetriever):
    def __init__(self) -> None:
        self.items = ItemTable()
        super().__init__(self.items)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        super().apply(upserts, deletes)
        self.items.apply(upserts, deletes)

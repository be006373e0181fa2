"""Arms that share the vector arm's index, following the catalogue together with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.indexing.indexer import ItemTable
from core.protocols import Retriever
from core.types import Item, ItemId, Query, Scored
from retrievers.engagements.customers import CustomersModel
from retrievers.explore import ExploreRetriever
from retrievers.personal import PersonalRetriever
from retrievers.vector import VectorRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings


class Following:
    """In the service the indexer tells the table and the index one after the other. All queries are asked by `me`."""

    def __init__(self, items: ItemTable, vector: VectorRetriever, arm: Retriever) -> None:
        self.name = arm.name
        self._items = items
        self._vector = vector
        self._arm = arm

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self._items.apply(upserts, deletes)
        self._vector.apply(upserts, deletes)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        return self._arm.retrieve(replace(query, client_id="me"), depth)

    def signals(self, query: Query) -> Mapping[str, float]:
        return self._arm.signals(replace(query, client_id="me"))


def vector(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> Following:
    items = ItemTable()
    arm = VectorRetriever(embeddings, query_vector, items)
    return Following(items, arm, arm)


def explore(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> Following:
    items = ItemTable()
    vector = VectorRetriever(embeddings, query_vector, items)
    return Following(items, vector, ExploreRetriever(vector.index, query_vector, items))


def personal(
    embeddings: StoredEmbeddings, query_vector: QueryVectors, taste: Mapping[str, float] | None = None
) -> Following:
    """`me` has the given taste, by default for three lamps."""
    items = ItemTable()
    vector = VectorRetriever(embeddings, query_vector, items)
    arm = PersonalRetriever(vector.index, query_vector)
    liked = taste or {"red": 1.0, "blue": 1.0, "green": 1.0}
    arm.load(CustomersModel.of([("me", [(ItemId(each), weight) for each, weight in liked.items()])]).dump())
    return Following(items, vector, arm)

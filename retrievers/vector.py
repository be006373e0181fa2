"""The vector arm: nearest items to the query in the encoder's space."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from core.types import Item, ItemId, Query, Scored
from retrievers.document import passage
from retrievers.vectors.adapter import QueryAdapter
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings
from retrievers.vectors.index import VectorIndex


class VectorRetriever:
    """Cosine similarity of the query's vector, adapted to what clicks taught, and the items'.

    Other arms share its index, with vectors of their own.
    """

    name = "vector"

    def __init__(self, embeddings: StoredEmbeddings, query_vector: QueryVectors, items: Mapping[ItemId, Item]) -> None:
        """`items` is the shared table of all items, up to date before `apply` is called."""
        self._embeddings = embeddings
        self._query_vector = query_vector
        self._adapter = QueryAdapter(embeddings.version)
        self._loaded = 0
        self.index = VectorIndex(embeddings.dimension, items)

    @property
    def edition(self) -> tuple[int, int]:
        return self.index.edition, self._loaded

    def load(self, model: bytes | None) -> None:
        """Swap the learned map of query vectors in; None forgets it, and so does one learned with another encoder."""
        self._adapter = QueryAdapter.load(model, self._embeddings.version)
        self._loaded += 1

    def prepare(self, upserts: Sequence[Item]) -> None:
        """Afterwards the vectors of these items are at hand."""
        self._embeddings.encode([passage(item) for item in upserts])

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        vectors = self._embeddings.encode([passage(item) for item in upserts])
        # The last of several upserts of one id wins, as everywhere.
        self.index.change({item.id: vector for item, vector in zip(upserts, vectors, strict=True)}, deletes)

    def reads_the_same(self, old: Item, new: Item) -> bool:
        """A new price or stock needs no look-up, and no new row beside a dead one, which is what wears an index out."""
        return passage(old) == passage(new)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        if not query.text.strip():
            return []
        return self.index.nearest(self._adapter(self._query_vector(query.text)), depth, query.filters)

    def signals(self, query: Query) -> Mapping[str, float]:
        """Whether the query's vector is at hand already, which makes this arm cheap."""
        return {"cached": float(query.text in self._query_vector)}

    def save(self, folder: Path) -> None:
        self.saving()(folder)

    def saving(self) -> Callable[[Path], None]:
        return self.index.saving()

    def restore(self, folder: Path) -> None:
        self.index.restore(folder)

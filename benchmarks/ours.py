"""Bowerbird's arms as engines; the last functions are all that knows how an arm is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from benchmarks.catalogue import ItemsById, row_of, title_queries
from benchmarks.engine import DEPTH, Data, Engine
from benchmarks.given import HashedTexts
from core.catalogue import Indexed
from core.protocols import Retriever
from core.seeds import generator
from core.text import query_key
from core.types import Floats, ItemId, Query, QueryId
from ranking.rrf import RRF_K
from retrievers.impact.expansion import CatalogueTerms
from retrievers.lexical import LexicalRetriever
from retrievers.memory import MemoryRetriever
from retrievers.q2e.memory_model import MemoryModel
from retrievers.sparse import SparseRetriever
from retrievers.structured import StructuredRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings
from retrievers.vectors.index import VectorIndex

_LEARNED, _REMEMBERED = 20_000, 10  # queries the memory has learned, and items of each


class IndexedArm(Retriever, Indexed, Protocol):
    """An arm with an index of its own."""


class Arm:
    """An arm that is asked with a text."""

    modules = ()

    def __init__(self, group: str, stated: str, make: Callable[[Data, Path], IndexedArm]) -> None:
        self.group = group
        self.stated = stated
        self._make = make
        self._scratch = TemporaryDirectory()  # what an arm writes while it lives is not what it saves
        self._arm: IndexedArm
        self._queries: list[Query] = []

    def build(self, data: Data, folder: Path) -> None:
        arm = self._made(data)
        for items, _ in data.batches():
            arm.apply(items, [])
        arm.save(folder)

    def open(self, data: Data, folder: Path) -> None:
        self._arm = self._made(data)
        self._arm.restore(folder)
        self._queries = [Query(QueryId(f"q{n}"), text, 0.0) for n, text in enumerate(data.queries)]

    def ask(self, n: int) -> list[int]:
        return [row_of(hit.item_id) for hit in self._arm.retrieve(self._queries[n % len(self._queries)], DEPTH)]

    def _made(self, data: Data) -> IndexedArm:
        return self._make(data, Path(self._scratch.name))


class Vectors:
    """The vector index, asked with a vector."""

    modules = ()
    group = "vector"
    stated = "codes of 4 bits are scanned, the best compared exactly"

    def __init__(self) -> None:
        self._index: VectorIndex
        self._asked: Floats

    def build(self, data: Data, folder: Path) -> None:
        index = _index(data)
        for items, vectors in data.batches():
            index.change({item.id: vector for item, vector in zip(items, vectors, strict=True)}, [])
            index.wait()  # or else the last training may have missed the last items
        index.save(folder)

    def open(self, data: Data, folder: Path) -> None:
        self._asked = data.asked
        self._index = _index(data)
        self._index.restore(folder)

    def ask(self, n: int) -> list[int]:
        hits = self._index.nearest(self._asked[n % len(self._asked)], DEPTH, {})
        return [row_of(hit.item_id) for hit in hits]


class Hybrid:
    """Both of them one after the other, fused by reciprocal ranks."""

    modules = ()
    group = "hybrid"
    stated = "both of the above, reciprocal rank fusion"

    def __init__(self) -> None:
        self._parts: tuple[Engine, Engine] = (Arm("lexical", "", _lexical), Vectors())

    def build(self, data: Data, folder: Path) -> None:
        for n, part in enumerate(self._parts):
            (folder / str(n)).mkdir()
            part.build(data, folder / str(n))

    def open(self, data: Data, folder: Path) -> None:
        for n, part in enumerate(self._parts):
            part.open(data, folder / str(n))

    def ask(self, n: int) -> list[int]:
        scores: dict[int, float] = {}
        for part in self._parts:
            for rank, row in enumerate(part.ask(n), start=1):
                scores[row] = scores.get(row, 0.0) + 1 / (RRF_K + rank)
        return sorted(scores, key=lambda row: -scores[row])[:DEPTH]


def _lexical(data: Data, folder: Path) -> IndexedArm:
    return LexicalRetriever(folder=folder / "index")


def _structured(data: Data, folder: Path) -> IndexedArm:
    return StructuredRetriever(ItemsById(data.items))


def _sparse(data: Data, folder: Path) -> IndexedArm:
    return SparseRetriever(CatalogueTerms())


def _index(data: Data) -> VectorIndex:
    return VectorIndex(data.vectors.shape[1], ItemsById(data.items))


def _memory(data: Data, folder: Path) -> IndexedArm:
    """With a learned model, and the vectors of the queries at hand: their encoding is measured by itself."""
    encoder = HashedTexts("hashed", data.vectors.shape[1])
    query_vector = QueryVectors(encoder)
    for text in data.queries:
        query_vector(text)
    embeddings = StoredEmbeddings(encoder, folder / "embeddings.sqlite")
    memory = MemoryRetriever(embeddings, query_vector, ItemsById(data.items))
    memory.load(_learned(data).dump())
    return memory


def _learned(data: Data) -> MemoryModel:
    """Half of the asked queries, and others; each with items that were taken."""
    random = generator(1, "learned")
    texts = [*data.queries[::2], *title_queries(data.items, _LEARNED, 2)][:_LEARNED]
    rows = random.integers(len(data.items), size=(len(texts), _REMEMBERED))
    found = {
        query_key(text): (text, [(ItemId(f"s{row}"), 1.0 + n, 10.0) for n, row in enumerate(taken)])
        for text, taken in zip(texts, rows.tolist(), strict=True)
    }
    return MemoryModel.of(found)


OURS: Mapping[str, Callable[[], Engine]] = {
    "Bowerbird lexical": lambda: Arm("lexical", "BM25 with proximity and spelling, tantivy", _lexical),
    "Bowerbird sparse": lambda: Arm("lexical", "BM25 with added words, every score exact", _sparse),
    "Bowerbird vector": Vectors,
    "Bowerbird hybrid": Hybrid,
    "Bowerbird structured": lambda: Arm("structured", "readings of the query", _structured),
    "Bowerbird memory": lambda: Arm("memory", f"{_LEARNED} queries learned, the query's vector at hand", _memory),
}

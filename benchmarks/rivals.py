"""Other engines, each as its documentation says one uses it. Their packages are the `bench` extra."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine import DEPTH, Data, Engine, plain_text
from core.text import query_tokens, tokens
from core.types import Floats


class RankBm25:
    """rank-bm25: every score of every item, in Python."""

    modules = ("rank_bm25",)
    group = "lexical"
    stated = "BM25Okapi, scans all items; no file format, built at every start"

    def build(self, data: Data, folder: Path) -> None:
        self._fed(data)

    def open(self, data: Data, folder: Path) -> None:
        self._index = self._fed(data)
        self._queries = [query_tokens(text) for text in data.queries]

    def ask(self, n: int) -> list[int]:
        scores = self._index.get_scores(self._queries[n % len(self._queries)])
        best = np.argpartition(-scores, DEPTH)[:DEPTH]
        found: list[int] = best[np.argsort(-scores[best])].tolist()
        return found

    def _fed(self, data: Data) -> Any:
        from rank_bm25 import BM25Okapi

        return BM25Okapi([tokens(plain_text(item)) for items, _ in data.batches() for item in items])


class Bm25s:
    """bm25s: scores of every (word, item) computed when indexing."""

    modules = ("bm25s", "numba")
    group = "lexical"
    stated = "method lucene (default), numba backend, one thread"

    def build(self, data: Data, folder: Path) -> None:
        import bm25s

        index = bm25s.BM25(backend="numba")
        texts = [tokens(plain_text(item)) for items, _ in data.batches() for item in items]
        index.index(texts, show_progress=False)
        index.save(str(folder / "bm25s"))

    def open(self, data: Data, folder: Path) -> None:
        import bm25s

        self._index = bm25s.BM25.load(str(folder / "bm25s"))
        self._index.backend = "numba"
        self._index.activate_numba_scorer()
        self._queries = [[query_tokens(text)] for text in data.queries]

    def ask(self, n: int) -> list[int]:
        asked = self._queries[n % len(self._queries)]
        found: list[int] = self._index.retrieve(asked, k=DEPTH, show_progress=False, n_threads=1).documents[0].tolist()
        return found


class LanceDb:
    """LanceDB: columns on disk, with a full-text index or a vector index or both."""

    modules = ("lancedb", "pyarrow")

    def __init__(self, group: str, *, probes: int = 0, refine: int = 0) -> None:
        self.group = group
        vector = f"IVF_PQ, nprobes {probes}, refine_factor {refine}" if probes else "IVF_PQ, defaults"
        self.stated = {"lexical": "FTS, defaults", "vector": vector, "hybrid": f"FTS and {vector}, its RRF"}[group]
        self._probes, self._refine = probes, refine

    def build(self, data: Data, folder: Path) -> None:
        import lancedb
        import pyarrow as pa
        from lancedb.index import FTS, IvfPq

        database = lancedb.connect(str(folder))
        table, row = None, 0
        for items, vectors in data.batches():
            columns = {"id": pa.array(range(row, row + len(items)), pa.int64())}
            row += len(items)
            if self.group != "vector":
                columns["text"] = pa.array(list(map(plain_text, items)))
            if self.group != "lexical":
                columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
            if table is None:
                table = database.create_table("items", pa.table(columns))
            else:
                table.add(pa.table(columns))
        assert table is not None
        table.optimize()
        if self.group != "vector":
            table.create_index("text", config=FTS())
        if self.group != "lexical":
            table.create_index("vector", config=IvfPq(distance_type="cosine"))

    def open(self, data: Data, folder: Path) -> None:
        import lancedb

        self._table = lancedb.connect(str(folder)).open_table("items")
        self._queries, self._asked = data.queries, data.asked
        self.ask(0)  # it reads its indexes at the first query

    def ask(self, n: int) -> list[int]:
        found: list[int] = self._search(n % len(self._queries)).limit(DEPTH).to_arrow()["id"].to_pylist()
        return found

    def _search(self, n: int) -> Any:
        search: Any  # which builder it is depends on the query's type
        if self.group == "lexical":
            return self._table.search(self._queries[n], query_type="fts").select(["id", "_score"])
        if self.group == "vector":
            search = self._table.search(self._asked[n])
            search = search.distance_type("cosine").select(["id", "_distance"])
        else:
            search = self._table.search(query_type="hybrid").vector(self._asked[n]).text(self._queries[n])
            search = search.distance_type("cosine").select(["id"])
        return search.nprobes(self._probes).refine_factor(self._refine) if self._probes else search


class MilvusLite:
    """milvus-lite: Milvus' client with an engine inside this process."""

    modules = ("pymilvus", "milvus_lite")

    def __init__(self, group: str) -> None:
        self.group = group
        vector = "AUTOINDEX (HNSW), defaults"
        self.stated = {"lexical": "BM25 function", "vector": vector, "hybrid": f"BM25, {vector}, its RRF"}[group]

    def build(self, data: Data, folder: Path) -> None:
        client = _milvus(folder)
        self._create(client, data.vectors.shape[1])
        row = 0
        for items, vectors in data.batches():
            client.insert("items", [self._row(row + n, plain_text(item), vectors[n]) for n, item in enumerate(items)])
            row += len(items)
        client.flush("items")
        client.load_collection("items")  # builds what is not built yet
        client.close()

    def open(self, data: Data, folder: Path) -> None:
        self._client = _milvus(folder)
        self._client.load_collection("items")
        self._queries, self._asked = data.queries, data.asked

    def ask(self, n: int) -> list[int]:
        n %= len(self._queries)
        if self.group == "hybrid":
            from pymilvus import AnnSearchRequest, RRFRanker

            parts = [
                AnnSearchRequest([self._queries[n]], "sparse", {}, DEPTH),
                AnnSearchRequest([self._asked[n]], "vector", {}, DEPTH),
            ]
            hits = self._client.hybrid_search("items", parts, RRFRanker(), limit=DEPTH, output_fields=["id"])[0]
        else:
            wanted: str | Floats = self._queries[n] if self.group == "lexical" else self._asked[n]
            field = "sparse" if self.group == "lexical" else "vector"
            hits = self._client.search("items", [wanted], anns_field=field, limit=DEPTH, output_fields=["id"])[0]
        return [hit["id"] for hit in hits]

    def _row(self, row: int, text: str, vector: Floats) -> dict[str, Any]:
        found: dict[str, Any] = {"id": row}
        if self.group != "vector":
            found["text"] = text
        if self.group != "lexical":
            found["vector"] = vector
        return found

    def _create(self, client: Any, dimension: int) -> None:
        from pymilvus import DataType, Function, FunctionType

        schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
        schema.add_field("id", DataType.INT64, is_primary=True)
        if self.group != "vector":
            schema.add_field("text", DataType.VARCHAR, max_length=4_000, enable_analyzer=True)
            schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
            schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["sparse"]))
            indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        if self.group != "lexical":
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
            indexes.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        client.create_collection("items", schema=schema, index_params=indexes)


def _milvus(folder: Path) -> Any:
    from pymilvus import MilvusClient

    return MilvusClient(str(folder / "milvus.db"))


RIVALS: Mapping[str, Callable[[], Engine]] = {
    "rank-bm25": RankBm25,
    "bm25s": Bm25s,
    "LanceDB full text": lambda: LanceDb("lexical"),
    "milvus-lite full text": lambda: MilvusLite("lexical"),
    "LanceDB vector": lambda: LanceDb("vector"),
    "LanceDB vector, refined": lambda: LanceDb("vector", probes=50, refine=10),
    "milvus-lite vector": lambda: MilvusLite("vector"),
    "LanceDB hybrid": lambda: LanceDb("hybrid", probes=50, refine=10),
    "milvus-lite hybrid": lambda: MilvusLite("hybrid"),
}
_PACKAGES = ("rank-bm25", "bm25s", "numba", "lancedb", "milvus-lite", "pymilvus")


def versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Of the rivals, `not installed` where one is not."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found

"""How well the memory predicts queries before any click, what it adds to fusion, and what a look-up costs.

Reads chorus-icecat from $BOWERBIRD_DATA (default ../shared/data). `--cache` names the cache folder of a data directory
that has ingested it; without one all items are encoded first.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from app.indexer import ItemTable
from app.ingest import read_items, read_mapping
from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.loop import DATA, RATINGS, ROOT
from benchmarks.timing import timed
from core.protocols import Retriever
from core.seeds import generator
from core.text import query_key
from core.types import Floats, Item, ItemId, Query, QueryId
from ranking.metrics import Judgments, answerable, measure, read_judgments
from ranking.rrf import RRF_K
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.encoder import BUNDLED, open_encoder
from retrievers.lexical import LexicalRetriever
from retrievers.memory import MemoryRetriever
from retrievers.q2e.memory_model import MemoryModel
from retrievers.vector import VectorRetriever

DEPTH = 100
_BATCH = 2_000
_DIMENSION, _CLUSTERS = 384, 2_000
_CLICKED = 30  # items that a synthetic query has evidence of


def prior_hit_rate(memory: MemoryRetriever, judgments: Judgments) -> float:
    """Share of the rated queries with a relevant item for which all words are predicted for one relevant item."""
    queries = answerable(judgments)
    return sum(memory.predicted(text, _relevant(judgments, text)) for text in queries) / max(len(queries), 1)


def top_hit_rate(memory: MemoryRetriever, judgments: Judgments) -> float:
    """Share of the rated queries with a relevant item for which one is in the memory's answer."""
    queries = answerable(judgments)
    hits = sum(not _relevant(judgments, text).isdisjoint(run(memory, text)) for text in queries)
    return hits / max(len(queries), 1)


def systems(arms: Mapping[str, Retriever], judgments: Judgments) -> dict[str, dict[str, float]]:
    """Measures of every arm alone, and of their fusion with and without the memory."""
    texts = answerable(judgments)
    runs: dict[str, dict[str, list[str]]] = {
        name: {text: list(run(arm, text)) for text in texts} for name, arm in arms.items()
    }
    without = [name for name in arms if name != "memory"]
    for name, parts in (("rrf", list(arms)), ("rrf_without_memory", without)):
        runs[name] = {text: fused([runs[part][text] for part in parts]) for text in texts}
    return {name: measure(found, judgments) for name, found in runs.items()}


def run(arm: Retriever, text: str) -> list[ItemId]:
    return [hit.item_id for hit in arm.retrieve(Query(QueryId("prior"), text, 0.0), DEPTH)]


def fused(runs: Sequence[Sequence[str]]) -> list[str]:
    scores: Counter[str] = Counter()
    for found in runs:
        scores.update({item_id: 1 / (RRF_K + rank) for rank, item_id in enumerate(found, start=1)})
    return sorted(scores, key=lambda item_id: (-scores[item_id], item_id))[:DEPTH]


def built(embeddings: StoredEmbeddings, items: Sequence[Item]) -> MemoryRetriever:
    table = ItemTable()
    memory = MemoryRetriever(embeddings, QueryVectors(embeddings), table)
    for start in range(0, len(items), _BATCH):
        table.apply(items[start : start + _BATCH], [])
        memory.apply(items[start : start + _BATCH], [])
    return memory


def speed(count: int, learned: int, *, seed: int = 1) -> dict[str, float]:
    """Milliseconds of a look-up with so many learned queries, and seconds to build, to load, to save and to restore.

    Half of the asked queries are learned ones. Query vectors are at hand, and are clustered as real ones are.
    """
    items = SyntheticItems(count, seed)
    texts = list(dict.fromkeys(title_queries(items, 2 * learned, seed)))
    vectors = _GivenVectors(texts, seed)
    with tempfile.TemporaryDirectory() as folder:
        embeddings = StoredEmbeddings(vectors, Path(folder) / "vectors.sqlite")
        seconds: dict[str, float] = {}
        started = time.perf_counter()
        memory = built(embeddings, items)
        seconds["build_s"] = time.perf_counter() - started
        model, newer = (_model(texts[n : n + learned], items, seed) for n in (0, 200))
        for name, data in (("load_s", model), ("load_newer_s", newer)):
            started = time.perf_counter()
            memory.load(data)
            seconds[name] = time.perf_counter() - started
        asked = [Query(QueryId("q"), str(text), 0.0) for text in generator(seed, "asked").permutation(texts)[:500]]
        for query in asked:
            memory.retrieve(query, DEPTH)  # now its vector is at hand
        times = timed(lambda n: memory.retrieve(asked[n % len(asked)], DEPTH), 1_000)
        saved = Path(folder) / "saved"
        saved.mkdir()
        for name, move in (("save_s", memory.save), ("restore_s", built(embeddings, []).restore)):
            started = time.perf_counter()
            move(saved)
            seconds[name] = time.perf_counter() - started
        embeddings.close()
    return {"items": count, "queries": learned, **times, **seconds}


class _GivenVectors:
    """An encoder that knows its texts: clusters of unit vectors, so that some texts are near each other."""

    dimension, version = _DIMENSION, "given"

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        random = generator(seed, "given-vectors")
        centres = random.normal(size=(_CLUSTERS, _DIMENSION)).astype(np.float32)
        vectors = centres[random.integers(_CLUSTERS, size=len(texts))]
        vectors += random.normal(scale=0.4, size=vectors.shape).astype(np.float32)
        self._vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        self._rows = {text: row for row, text in enumerate(texts)}

    def encode(self, texts: Sequence[str]) -> Floats:
        found: Floats = self._vectors[[self._rows[text] for text in texts]]
        return found


def _model(texts: Sequence[str], items: Sequence[Item], seed: int) -> bytes:
    random = generator(seed, "model")
    shown = {text: random.integers(len(items), size=_CLICKED).tolist() for text in texts}
    return MemoryModel.of(
        {
            query_key(text): (text, [(items[n].id, float(n % 5 == 0), 1.0 + n % 7) for n in dict.fromkeys(found)])
            for text, found in shown.items()
        }
    ).dump()


def _relevant(judgments: Judgments, text: str) -> set[ItemId]:
    return {ItemId(item_id) for item_id, rating in judgments[text].items() if rating > 0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help=f"a folder with products.jsonl.gz and {RATINGS}")
    parser.add_argument("--cache", type=Path, default=None, help="a cache of vectors")
    parser.add_argument("--items", type=int, default=100_000, help="of the synthetic catalogue")
    parser.add_argument("--queries", type=int, default=20_000, help="that are learned for it")
    options = parser.parse_args()
    rows = read_items(options.data / "products.jsonl.gz", read_mapping(ROOT / "configs/catalogs/icecat.toml"))
    items = [row for row in rows if isinstance(row, Item)]
    judgments = read_judgments(options.data / RATINGS)
    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch)
        embeddings = StoredEmbeddings(open_encoder(BUNDLED, cache), cache / "embeddings.sqlite")
        memory = built(embeddings, items)
        arms: dict[str, LexicalRetriever | VectorRetriever] = {
            "lexical": LexicalRetriever(),
            "vector": VectorRetriever(embeddings, QueryVectors(embeddings), {item.id: item for item in items}),
        }
        for arm in arms.values():
            arm.apply(items, [])
        result = {
            "memory.prior.hit_rate": prior_hit_rate(memory, judgments),
            "top_10_hit_rate": top_hit_rate(memory, judgments),
            "systems": systems({**arms, "memory": memory}, judgments),
        }
        embeddings.close()
    print(json.dumps({**result, "speed": speed(options.items, options.queries)}, indent=1))


if __name__ == "__main__":
    main()

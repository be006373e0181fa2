"""How long one question to one arm takes, on a synthetic catalogue with a realistic vocabulary, in one thread."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.vectors import clusters, realistic
from core.seeds import generator
from core.types import Floats, Item, ItemId, Query, QueryId
from retrievers.encoder import BUNDLED, open_encoder
from retrievers.impact.expansion import CatalogueTerms
from retrievers.lexical import LexicalRetriever
from retrievers.sparse import SparseRetriever
from retrievers.structured import StructuredRetriever
from retrievers.vector_index import VectorIndex

_DEPTH = 100
_QUERIES = 500
_BATCH = 5_000


def speed(count: int, *, seed: int = 1) -> dict[str, Any]:
    """Times per question (depth 100), build times, and the recall of the vector index against comparing with all."""
    items = synthetic(count, seed)
    queries = queries_of(items, seed, _QUERIES)
    times: dict[str, dict[str, float]] = {}
    builds: dict[str, float] = {}
    for arm in (LexicalRetriever(), StructuredRetriever({}), SparseRetriever(CatalogueTerms())):
        started = time.perf_counter()
        for start in range(0, count, _BATCH):
            arm.apply(items[start : start + _BATCH], [])
        builds[arm.name] = time.perf_counter() - started
        times[arm.name] = timed(lambda n, arm=arm: arm.retrieve(queries[n % len(queries)], _DEPTH), _QUERIES)  # type: ignore[misc]
    times["vector"], builds["vector"], recall = _vector(items, *realistic(count, _QUERIES, seed))
    times["vector, clusters"], _, recall_clusters = _vector(items, *clusters(count, _QUERIES, seed))
    times["encode"] = _encode(queries)
    suffix = f"{count // 1_000}k"
    return {
        "items": count,
        "times": times,
        "build_s": builds,
        "figures": {
            f"lexical.{suffix}.p50_ms": times["lexical"]["p50_ms"],
            f"vector.{suffix}.p50_ms": times["vector"]["p50_ms"],
            f"vector.{suffix}.recall": recall,
            f"vector.{suffix}.recall_clusters": recall_clusters,
            "encode.p50_ms": times["encode"]["p50_ms"],
            "structured.p50_ms": times["structured"]["p50_ms"],
        },
    }


def synthetic(count: int, seed: int) -> list[Item]:
    """Products: a brand, a type and words of a Zipf vocabulary of 60,000 in the title, more in the description."""
    random = generator(seed, "synthetic")
    words = _vocabulary(60_000, random)
    brands, kinds = words[1_000:3_000], words[200:250]
    made = []
    for n in range(count):
        brand, kind = brands[_zipf(random, len(brands))], kinds[_zipf(random, len(kinds))]
        rest = [words[_zipf(random, len(words))] for _ in range(18)]
        fields = {"title": " ".join([brand, kind, *rest[:6]]), "description": " ".join(rest[6:])}
        attributes = {"brand": (brand,), "colour": (words[int(random.integers(12))],)}
        made.append(Item(ItemId(f"s{n}"), kind, fields, attributes, {"price": float(random.integers(5, 2_000))}))
    return made


def timed(run: Callable[[int], object], count: int) -> dict[str, float]:
    """p50 and p99 of `run(n)` in milliseconds, after a tenth to warm up."""
    times = []
    for n in range(count + count // 10):
        started = time.perf_counter()
        run(n)
        times.append((time.perf_counter() - started) * 1000)
    warm = times[count // 10 :]
    return {"p50_ms": statistics.median(warm), "p99_ms": statistics.quantiles(warm, n=100)[98]}


def queries_of(items: Sequence[Item], seed: int, count: int) -> list[Query]:
    """Two to four words of a title each."""
    random = generator(seed, "synthetic-queries")
    texts = []
    for _ in range(count):
        words = items[int(random.integers(len(items)))].fields["title"].split()
        texts.append(" ".join(random.permutation(words)[: int(random.integers(2, 5))]))
    return [Query(QueryId(f"q{n}"), text, 0.0) for n, text in enumerate(texts)]


def _vector(items: Sequence[Item], vectors: Floats, asked: Floats) -> tuple[dict[str, float], float, float]:
    """Times, seconds to build, and recall at 100; the query vector is given."""
    index = VectorIndex(vectors.shape[1], {item.id: item for item in items})
    started = time.perf_counter()
    for start in range(0, len(items), _BATCH):
        part = zip(items[start : start + _BATCH], vectors[start : start + _BATCH], strict=True)
        index.change({item.id: vector for item, vector in part}, [])
    index.wait()
    built = time.perf_counter() - started
    times = timed(lambda n: index.nearest(asked[n % len(asked)], _DEPTH, {}), _QUERIES)
    return times, built, statistics.fmean(_recall(index, items, vectors, query) for query in asked[:100])


def _recall(index: VectorIndex, items: Sequence[Item], vectors: Floats, query: Floats) -> float:
    best = np.argpartition(-(vectors @ query), _DEPTH)[:_DEPTH]
    truth = {items[row].id for row in best.tolist()}
    return len(truth & {hit.item_id for hit in index.nearest(query, _DEPTH, {})}) / _DEPTH


def _encode(queries: Sequence[Query]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_encoder(BUNDLED, Path(folder))
        return timed(lambda n: encoder.encode([queries[n % len(queries)].text]), 200)


def _vocabulary(count: int, random: np.random.Generator) -> list[str]:
    syllables = [a + b for a in "bcdfghjklmnprstvz" for b in "aeiou"]
    lengths = random.integers(2, 5, size=2 * count)
    made = dict.fromkeys("".join(syllables[int(s)] for s in random.integers(len(syllables), size=n)) for n in lengths)
    return list(made)[:count]


def _zipf(random: np.random.Generator, count: int) -> int:
    """A rank below `count` with a probability of about 1 / (rank + 1)."""
    return min(int(count ** random.random()) - 1, count - 1)

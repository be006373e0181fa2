"""Vectors for measuring an index: as many as wanted, like real ones.

Real embeddings lie unevenly: a few directions hold most of the variance (10 of 384 a third of it), and neighbours come
at all distances. Isotropic clusters have neither, and beyond a cluster's own members the nearest are near by chance.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import faiss
import numpy as np

from benchmarks.collections import COLLECTIONS
from core.seeds import generator
from core.types import Floats
from retrievers.vectors.encoder import BUNDLED, open_encoder

_SEEDS = 3_000  # texts to encode; it takes less than a minute
_CHARACTERS = 200
_NEIGHBOURS = 10
# With 0.5, 19,406 vectors made of 5,000 passages of that catalogue had its spectrum (share of 10, 50, 100 directions in
# the variance: 0.36, 0.69, 0.85; real: 0.36, 0.68, 0.84) and its distances (similarity of an item's 1st, 10th, 100th
# neighbour: 0.90, 0.81, 0.65; real: 0.91, 0.80, 0.64).
_RESIDUAL = 0.5
_BLOCK = 20_000


def realistic(count: int, asked: int, seed: int) -> tuple[Floats, Floats]:
    """[count, 384] vectors made of encoded products, and [asked, 384] of two to four words of a title, as queries.

    Each is a point between a product and one of its nearest, plus a share of the difference of two other neighbours:
    noise with the covariance that neighbours really have.
    """
    random = generator(seed, "realistic-vectors")
    titles, passages = _texts()
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_encoder(BUNDLED, Path(folder))
        chosen = random.permutation(len(passages))[:_SEEDS]
        seeds = encoder.encode([passages[n] for n in chosen])
        queries = encoder.encode_queries([_words(titles[n], random) for n in random.integers(len(titles), size=asked)])
    _, near = faiss.knn(seeds, seeds, _NEIGHBOURS + 1, faiss.METRIC_INNER_PRODUCT)

    def pairs(size: int) -> tuple[Floats, Floats]:
        first = random.integers(len(seeds), size=size)
        return seeds[first], seeds[near[first, random.integers(1, _NEIGHBOURS + 1, size=size)]]

    made = np.empty((count, seeds.shape[1]), dtype=np.float32)
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        (one, other), (a, b) = pairs(size), pairs(size)
        between = random.random((size, 1), dtype=np.float32)
        made[start : start + size] = _unit(one + between * (other - one) + _RESIDUAL * (a - b))
    return made, queries


def _texts() -> tuple[list[str], list[str]]:
    """Titles, and passages, of the product catalogue."""
    with gzip.open(COLLECTIONS["chorus"].file, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["title"] for row in rows], [
        f"{row['title']}. {row.get('short_description', '')}"[:_CHARACTERS] for row in rows
    ]


def _words(title: str, random: np.random.Generator) -> str:
    return " ".join(random.permutation(title.split())[: int(random.integers(2, 5))])


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = (vectors / lengths).astype(np.float32)
    return unit

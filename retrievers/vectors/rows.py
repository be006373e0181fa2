"""The rows of vectors that one search sees, and what it finds there: rows are appended or emptied, never moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from core.types import Floats, ItemId
from retrievers.highest import highest

kernels: Any = faiss  # these functions are not in its type stubs

PARTITION_FROM = 300_000  # items; below, scanning all codes takes about 1 ms
TAIL = 5_000  # rows that are compared one by one before their codes are added
_SUBVECTORS = 192  # of 4 bits each: 96 bytes an item (faiss' PQ fast scan)
_PARTITIONS, _PROBED = 1_024, 64
_RERANKED = 10  # times the asked depth
_EXACT_SHARE = 1 / 8  # for more, comparing with all costs about twice as much and is exact
_TRAINED_ON = 50_000
FIRST_CAPACITY = 1_024


@dataclass(frozen=True, slots=True)
class Rows:
    """What one request sees: `vectors[:count]` with their ids (None: deleted, and its vector 0).

    Rows are only ever appended, so a reader's first `count` rows stay what they are while a writer adds. `compressed`,
    which never changes either, holds the first `covered` rows, and was trained when there were `trained`.
    """

    vectors: Floats
    ids: list[ItemId | None]
    count: int
    compressed: faiss.Index | None = None
    covered: int = 0
    trained: int = 0


def no_rows(dimension: int) -> Rows:
    return Rows(np.empty((FIRST_CAPACITY, dimension), dtype=np.float32), [], 0)


def numbers(ids: Sequence[ItemId | None]) -> dict[ItemId, int]:
    """Row by id, of the living."""
    return {item_id: row for row, item_id in enumerate(ids) if item_id is not None}


def roomy(vectors: Floats) -> Floats:
    """A copy with room for as many more; memory that is never written costs nothing."""
    copy = np.empty((max(2 * len(vectors), FIRST_CAPACITY), vectors.shape[1]), dtype=np.float32)
    copy[: len(vectors)] = vectors
    return copy


def appended(rows: Rows, ids: Sequence[ItemId | None], vectors: Sequence[Floats] | Floats) -> Rows:
    """With these after the last one; a None among the ids is a dead row."""
    count = rows.count + len(ids)
    kept = rows.vectors
    while count > len(kept):
        kept = roomy(kept)
    if len(ids):
        kept[rows.count : count] = vectors
    rows.ids.extend(ids)
    return replace(rows, vectors=kept, count=count)


def compacted(rows: Rows) -> Rows:
    """The living rows alone, not compressed."""
    alive = [(row, item_id) for row, item_id in enumerate(rows.ids[: rows.count]) if item_id is not None]
    vectors = roomy(rows.vectors[[row for row, _ in alive]])
    return Rows(vectors, [item_id for _, item_id in alive], len(alive))


def absorbed(rows: Rows) -> Rows:
    """With the codes of the tail, once it is long, added to a copy of the compressed index: searches may be in it."""
    if rows.compressed is None or rows.count - rows.covered <= TAIL:
        return rows
    longer = faiss.clone_index(rows.compressed)
    longer.add(rows.vectors[rows.covered : rows.count])
    return replace(rows, compressed=longer, covered=rows.count)


def compressed(rows: Rows) -> Rows:
    """With a compressed index of all of them, trained anew."""
    vectors = rows.vectors[: rows.count]
    dimension = vectors.shape[1]
    # Each 4-bit code stands for an equal number of dimensions.
    parts = max(n for n in range(1, _SUBVECTORS + 1) if dimension % n == 0)
    if len(vectors) < PARTITION_FROM:
        index: Any = faiss.IndexPQFastScan(dimension, parts, 4, faiss.METRIC_INNER_PRODUCT)
    else:
        index = faiss.index_factory(dimension, f"IVF{_PARTITIONS},PQ{parts}x4fsr", faiss.METRIC_INNER_PRODUCT)
        index.nprobe = _PROBED
    step = max(1, len(vectors) // _TRAINED_ON)
    index.train(np.ascontiguousarray(vectors[::step]))
    index.add(vectors)
    return replace(rows, compressed=index, covered=rows.count, trained=rows.count)


def search(rows: Rows, vector: Floats, depth: int) -> tuple[Floats, NDArray[np.int64]]:
    """(scores, rows) of the `depth` nearest, best first; equal scores in order of rows."""
    query = np.ascontiguousarray(vector, dtype=np.float32)
    likely = _RERANKED * depth
    if rows.compressed is None or likely > _EXACT_SHARE * rows.covered:
        return _best(_compare(rows, query, 0), np.arange(rows.count), depth)
    faiss.omp_set_num_threads(1)  # per calling thread: requests run in parallel, not the parts of one
    _, near = rows.compressed.search(query[None, :], likely)
    found = near[0][near[0] >= 0]
    scores = np.concatenate([compare_some(rows, query, found), _compare(rows, query, rows.covered)])
    return _best(scores, np.concatenate([found, np.arange(rows.covered, rows.count)]), depth)


def _compare(rows: Rows, query: Floats, start: int) -> Floats:
    """[count - start] inner products with the rows from `start` on, in this thread alone."""
    scores = np.empty(rows.count - start, dtype=np.float32)
    part = rows.vectors[start : rows.count]
    pointers = [faiss.swig_ptr(array) for array in (scores, query, part)]
    kernels.fvec_inner_products_ny(*pointers, len(query), len(scores))
    return scores


def compare_some(rows: Rows, query: Floats, found: NDArray[np.int64]) -> Floats:
    """[len(found)] inner products with these rows, read where they are: copying them first took most of the time."""
    scores = np.empty(len(found), dtype=np.float32)
    pointers = [faiss.swig_ptr(array) for array in (scores, query, rows.vectors, found)]
    kernels.fvec_inner_products_by_idx(*pointers, len(query), 1, len(found))
    return scores


def _best(scores: Floats, found: NDArray[np.int64], depth: int) -> tuple[Floats, NDArray[np.int64]]:
    """Sorted, but only as much of it as is asked."""
    kept = highest(scores, depth)
    scores, found = scores[kept], found[kept]
    order = np.lexsort((found, -scores))[:depth]
    return scores[order], found[order]

"""Nearest items to a vector: exact while there are few, through a compressed index with exact re-ranking above that."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from core.filters import Filters, passes
from core.types import Floats, Item, ItemId, Scored

log = logging.getLogger(__name__)
kernels: Any = faiss  # these functions are not in its type stubs

COMPRESS_FROM = 20_000  # items; below, comparing with all of them takes about 1 ms
PARTITION_FROM = 300_000  # items; below, scanning all codes takes about 1 ms
TAIL = 5_000  # rows that are compared one by one before their codes are added
_SUBVECTORS = 192  # of 4 bits each: 96 bytes an item (faiss' PQ fast scan)
_PARTITIONS, _PROBED = 1_024, 64
_RERANKED = 10  # times the asked depth
_EXACT_SHARE = 1 / 8  # for more, comparing with all costs about twice as much and is exact
_TRAINED_ON = 50_000
# Built anew when there are so many times the rows it was trained on, or when this share of the rows is dead.
_GROWTH = 2
_DEAD_SHARE = 0.2
_FIRST_CAPACITY = 1_024


@dataclass(frozen=True, slots=True)
class _Rows:
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


class VectorIndex:
    """Cosine similarity of unit vectors, with adding and deleting while searches run."""

    def __init__(self, dimension: int, items: Mapping[ItemId, Item], *, compress_from: int = COMPRESS_FROM) -> None:
        """`items` is the shared table, which filters are looked up in; it knows of changes before this index does."""
        self._dimension = dimension
        self._items = items
        self._compress_from = compress_from
        self._writing = Lock()
        self._row: dict[ItemId, int] = {}
        self._rows = _Rows(np.empty((_FIRST_CAPACITY, dimension), dtype=np.float32), [], 0)
        self._rebuilding: Thread | None = None

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, item_id: ItemId) -> bool:
        return item_id in self._row

    def mean(self, weights: Mapping[ItemId, float]) -> Floats | None:
        """[dimension] weighted mean vector, of length 1, of those of the items that are there; None when none is."""
        rows = self._rows
        found = [
            (row, weight) for item_id, weight in weights.items() if (row := self._where(rows, item_id)) is not None
        ]
        if not found:
            return None
        total = np.array([weight for _, weight in found], dtype=np.float32) @ rows.vectors[[row for row, _ in found]]
        length = np.linalg.norm(total)
        return np.asarray(total / length, dtype=np.float32) if length > 0 else None

    def change(self, upserts: Mapping[ItemId, Floats], deletes: Collection[ItemId]) -> None:
        """Afterwards every upserted item is found by its new vector, and no deleted one is."""
        with self._writing:
            rows = self._rows
            for item_id in (*deletes, *upserts):
                if (row := self._row.pop(item_id, None)) is not None:
                    rows.ids[row] = None
                    rows.vectors[row] = 0
            if upserts:
                self._row.update(zip(upserts, range(rows.count, rows.count + len(upserts)), strict=True))
                self._rows = _appended(rows, list(upserts), list(upserts.values()))
            self._keep_fast()

    def nearest(self, vector: Floats, depth: int, filters: Filters) -> list[Scored]:
        """Best first. Filters are applied to ever deeper answers until enough pass: right for any, quick for loose."""
        rows = self._rows
        asked = min(depth if not filters else 4 * depth, rows.count)
        while asked:
            scores, found = _search(rows, vector, asked)
            hits = [
                Scored(item_id, score)
                for row, score in zip(found.tolist(), scores.tolist(), strict=True)
                if (item_id := rows.ids[row]) is not None and passes(item_id, self._items, filters)
            ]
            if len(hits) >= depth or asked == rows.count:
                return hits[:depth]
            asked = min(4 * asked, rows.count)
        return []

    def wait(self) -> None:
        """Until a rebuilding that is under way is done."""
        if (thread := self._rebuilding) is not None:
            thread.join()

    def save(self, folder: Path) -> None:
        """Write the vectors, the ids and the compressed index. No `change` runs meanwhile; searches do."""
        rows = self._rows
        np.save(folder / "vectors.npy", rows.vectors[: rows.count])
        known = {"ids": rows.ids[: rows.count], "covered": rows.covered, "trained": rows.trained}
        (folder / "rows.json").write_text(json.dumps(known), encoding="utf-8")
        if rows.compressed is not None:
            faiss.write_index(rows.compressed, str(folder / "compressed.faiss"))

    def restore(self, folder: Path) -> None:
        """Become what was saved, on a fresh index.

        The vectors are copied from the file, not mapped: room to append needs a copy, and deleting writes.
        """
        known = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        compressed = folder / "compressed.faiss"
        self._rows = _Rows(
            vectors=_roomy(vectors),
            ids=known["ids"],
            count=len(vectors),
            compressed=faiss.read_index(str(compressed)) if compressed.is_file() else None,
            covered=known["covered"],
            trained=known["trained"],
        )
        self._row = _numbers(known["ids"])

    def _where(self, rows: _Rows, item_id: ItemId) -> int | None:
        """Its row; a writer may just be renumbering, so the row must hold that very item."""
        row = self._row.get(item_id)
        return row if row is not None and row < rows.count and rows.ids[row] == item_id else None

    def _keep_fast(self) -> None:
        rows = self._rows
        dead = rows.count - len(self._row) > max(_FIRST_CAPACITY, _DEAD_SHARE * rows.count)
        if len(self._row) < self._compress_from:
            if dead:
                self._replace(rows, _compacted(rows))
        elif dead or rows.count >= _GROWTH * rows.trained:
            self._start_rebuilding()
        self._rows = _absorbed(self._rows)

    def _start_rebuilding(self) -> None:
        if self._rebuilding is None or not self._rebuilding.is_alive():
            self._rebuilding = Thread(target=self._rebuild, name="vector-index", daemon=True)
            self._rebuilding.start()

    def _rebuild(self) -> None:
        """Beside the searches: what they see is replaced at the end, unless the rows were renumbered meanwhile."""
        try:
            old = self._rows
            new = _compacted(old)
            new = replace(new, compressed=_compressed(new.vectors[: new.count]), covered=new.count, trained=new.count)
            with self._writing:
                if self._rows.ids is old.ids:
                    self._replace(old, new)
                    self._rows = _absorbed(self._rows)
        except Exception:  # searches go on with what there is
            log.exception("the vector index could not be compressed")

    def _replace(self, old: _Rows, new: _Rows) -> None:
        """Let `new`, which was made of `old`, take over, with what has changed since."""
        now = self._rows
        for row, item_id in enumerate(new.ids):
            if item_id is not None and self._row.get(item_id, old.count) >= old.count:  # gone, or has a newer row
                new.ids[row] = None
                new.vectors[row] = 0
        late = [row for row in range(old.count, now.count) if now.ids[row] is not None]
        new = _appended(new, [now.ids[row] for row in late], now.vectors[late])
        self._row = _numbers(new.ids)
        self._rows = new


def _numbers(ids: Sequence[ItemId | None]) -> dict[ItemId, int]:
    return {item_id: row for row, item_id in enumerate(ids) if item_id is not None}


def _roomy(vectors: Floats) -> Floats:
    """A copy with room for as many more; memory that is never written costs nothing."""
    copy = np.empty((max(2 * len(vectors), _FIRST_CAPACITY), vectors.shape[1]), dtype=np.float32)
    copy[: len(vectors)] = vectors
    return copy


def _appended(rows: _Rows, ids: Sequence[ItemId | None], vectors: Sequence[Floats] | Floats) -> _Rows:
    count = rows.count + len(ids)
    kept = rows.vectors
    while count > len(kept):
        kept = _roomy(kept)
    if len(ids):
        kept[rows.count : count] = vectors
    rows.ids.extend(ids)
    return replace(rows, vectors=kept, count=count)


def _compacted(rows: _Rows) -> _Rows:
    """The living rows alone, not compressed."""
    alive = [(row, item_id) for row, item_id in enumerate(rows.ids[: rows.count]) if item_id is not None]
    vectors = _roomy(rows.vectors[[row for row, _ in alive]])
    return _Rows(vectors, [item_id for _, item_id in alive], len(alive))


def _absorbed(rows: _Rows) -> _Rows:
    """With the codes of the tail, once it is long, added to a copy of the compressed index: searches may be in it."""
    if rows.compressed is None or rows.count - rows.covered <= TAIL:
        return rows
    compressed = faiss.clone_index(rows.compressed)
    compressed.add(rows.vectors[rows.covered : rows.count])
    return replace(rows, compressed=compressed, covered=rows.count)


def _compressed(vectors: Floats) -> Any:
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
    return index


def _search(rows: _Rows, vector: Floats, depth: int) -> tuple[Floats, NDArray[np.int64]]:
    """(scores, rows) of the `depth` nearest, best first; equal scores in order of rows."""
    query = np.ascontiguousarray(vector, dtype=np.float32)
    likely = _RERANKED * depth
    if rows.compressed is None or likely > _EXACT_SHARE * rows.covered:
        return _best(_compare(rows, query, 0), np.arange(rows.count), depth)
    faiss.omp_set_num_threads(1)  # per calling thread: requests run in parallel, not the parts of one
    _, near = rows.compressed.search(query[None, :], likely)
    found = near[0][near[0] >= 0]
    scores = np.concatenate([_compare_some(rows, query, found), _compare(rows, query, rows.covered)])
    return _best(scores, np.concatenate([found, np.arange(rows.covered, rows.count)]), depth)


def _compare(rows: _Rows, query: Floats, start: int) -> Floats:
    """[count - start] inner products with the rows from `start` on, in this thread alone."""
    scores = np.empty(rows.count - start, dtype=np.float32)
    part = rows.vectors[start : rows.count]
    pointers = [faiss.swig_ptr(array) for array in (scores, query, part)]
    kernels.fvec_inner_products_ny(*pointers, len(query), len(scores))
    return scores


def _compare_some(rows: _Rows, query: Floats, found: NDArray[np.int64]) -> Floats:
    """[len(found)] inner products with these rows, read where they are: copying them first took most of the time."""
    scores = np.empty(len(found), dtype=np.float32)
    pointers = [faiss.swig_ptr(array) for array in (scores, query, rows.vectors, found)]
    kernels.fvec_inner_products_by_idx(*pointers, len(query), 1, len(found))
    return scores


def _best(scores: Floats, found: NDArray[np.int64], depth: int) -> tuple[Floats, NDArray[np.int64]]:
    """Sorted, but only as much of it as is asked."""
    if depth < len(scores):
        lowest = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        kept = np.flatnonzero(scores >= lowest)
        scores, found = scores[kept], found[kept]
    order = np.lexsort((found, -scores))[:depth]
    return scores[order], found[order]

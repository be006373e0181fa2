"""Nearest items to a vector: exact while there are few, through a compressed index with exact re-ranking above that."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock, Thread

import faiss
import numpy as np
from numpy.typing import NDArray

from core.filters import Filters, matches
from core.types import Floats, Item, ItemId, Scored

log = logging.getLogger(__name__)

COMPRESS_FROM = 50_000  # items; below, comparing with all of them takes under 5 ms
_SUBVECTORS = 96  # of 4 bits each: 48 bytes an item (faiss' PQ fast scan)
_RERANKED = 10  # times the asked depth
_TRAINED_ON = 50_000
# A new compressed index when this share of the items is not in it, and new arrays when this share of the rows is dead.
_TAIL_SHARE = 0.1
_DEAD_SHARE = 0.2
_FIRST_CAPACITY = 1_024


@dataclass(frozen=True, slots=True)
class _Rows:
    """What one request sees: `vectors[:count]` with their items (None: deleted, and its vector 0).

    Rows are only ever appended, so a reader's first `count` rows stay what they are while a writer adds. `compressed`
    holds the first `covered` rows; the others are compared one by one.
    """

    vectors: Floats
    items: list[Item | None]
    count: int
    compressed: faiss.IndexPQFastScan | None = None
    covered: int = 0


class VectorIndex:
    """Cosine similarity of unit vectors, with adding and deleting while searches run."""

    def __init__(self, dimension: int, *, compress_from: int = COMPRESS_FROM) -> None:
        self._dimension = dimension
        self._compress_from = compress_from
        self._writing = Lock()
        self._row: dict[ItemId, int] = {}
        self._rows = _Rows(np.empty((_FIRST_CAPACITY, dimension), dtype=np.float32), [], 0)
        self._compressing: Thread | None = None

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, item_id: ItemId) -> bool:
        return item_id in self._row

    def item(self, item_id: ItemId) -> Item | None:
        """The item as it was when its vector came."""
        found = self._where(self._rows, item_id)
        return found[1] if found else None

    def mean(self, weights: Mapping[ItemId, float]) -> Floats | None:
        """[dimension] weighted mean vector, of length 1, of those of the items that are there; None when none is."""
        rows = self._rows
        found = [(place[0], weight) for item_id, weight in weights.items() if (place := self._where(rows, item_id))]
        if not found:
            return None
        total = np.array([weight for _, weight in found], dtype=np.float32) @ rows.vectors[[row for row, _ in found]]
        length = np.linalg.norm(total)
        return np.asarray(total / length, dtype=np.float32) if length > 0 else None

    def change(self, upserts: Mapping[ItemId, tuple[Item, Floats]], deletes: Collection[ItemId]) -> None:
        """Afterwards every upserted item is found by its new vector, and no deleted one is."""
        with self._writing:
            rows = self._rows
            for item_id in (*deletes, *upserts):
                if (row := self._row.pop(item_id, None)) is not None:
                    rows.items[row] = None
                    rows.vectors[row] = 0
            if upserts:
                rows = self._appended(rows, list(upserts.values()))
            if rows.count - len(self._row) > max(_FIRST_CAPACITY, _DEAD_SHARE * rows.count):
                rows = self._compacted(rows)
            self._rows = rows
            self._compress_if_due()

    def nearest(self, vector: Floats, depth: int, filters: Filters) -> list[Scored]:
        """Best first. Filters are applied to ever deeper answers until enough pass: right for any, quick for loose."""
        rows = self._rows
        asked = min(depth if not filters else 4 * depth, rows.count)
        while asked:
            scores, found = _search(rows, vector, asked)
            hits = [
                Scored(item.id, score)
                for row, score in zip(found.tolist(), scores.tolist(), strict=True)
                if (item := rows.items[row]) is not None and matches(item, filters)
            ]
            if len(hits) >= depth or asked == rows.count:
                return hits[:depth]
            asked = min(4 * asked, rows.count)
        return []

    def _where(self, rows: _Rows, item_id: ItemId) -> tuple[int, Item] | None:
        """Its row; a writer may just be renumbering, so the row must hold that very item."""
        row = self._row.get(item_id)
        item = rows.items[row] if row is not None and row < rows.count else None
        return (row, item) if row is not None and item is not None and item.id == item_id else None

    def wait(self) -> None:
        """Until a compression that is under way is done."""
        if (thread := self._compressing) is not None:
            thread.join()

    def _appended(self, rows: _Rows, added: Sequence[tuple[Item, Floats]]) -> _Rows:
        count = rows.count + len(added)
        vectors = rows.vectors
        if count > len(vectors):
            vectors = np.empty((max(count, 2 * len(vectors)), self._dimension), dtype=np.float32)
            vectors[: rows.count] = rows.vectors[: rows.count]
        vectors[rows.count : count] = [vector for _, vector in added]
        for row, (item, _) in enumerate(added, start=rows.count):
            rows.items.append(item)
            self._row[item.id] = row
        return replace(rows, vectors=vectors, count=count)

    def _compacted(self, rows: _Rows) -> _Rows:
        alive = [row for row, item in enumerate(rows.items[: rows.count]) if item is not None]
        items = [rows.items[row] for row in alive]
        self._row = {item.id: row for row, item in enumerate(items) if item is not None}
        return _Rows(rows.vectors[alive], items, len(alive))

    def _compress_if_due(self) -> None:
        rows = self._rows
        due = rows.count >= self._compress_from and rows.count - rows.covered > _TAIL_SHARE * rows.count
        if due and (self._compressing is None or not self._compressing.is_alive()):
            self._compressing = Thread(target=self._compress, name="vector-index", daemon=True)
            self._compressing.start()

    def _compress(self) -> None:
        """Beside the searches: what they see is replaced at the end, unless the rows were renumbered meanwhile."""
        try:
            rows = self._rows
            compressed = _compressed(rows.vectors[: rows.count])
            with self._writing:
                if self._rows.items is rows.items:
                    self._rows = replace(self._rows, compressed=compressed, covered=rows.count)
        except Exception:  # searches go on comparing with all items
            log.exception("the vector index could not be compressed")


def _compressed(vectors: Floats) -> faiss.IndexPQFastScan:
    dimension = vectors.shape[1]
    # Each 4-bit code stands for an equal number of dimensions.
    parts = max(n for n in range(1, _SUBVECTORS + 1) if dimension % n == 0)
    index = faiss.IndexPQFastScan(dimension, parts, 4, faiss.METRIC_INNER_PRODUCT)
    step = max(1, len(vectors) // _TRAINED_ON)
    index.train(np.ascontiguousarray(vectors[::step]))
    index.add(vectors)
    return index


def _search(rows: _Rows, vector: Floats, depth: int) -> tuple[Floats, NDArray[np.int64]]:
    """(scores, rows) of the `depth` nearest, best first; equal scores in order of rows."""
    faiss.omp_set_num_threads(1)  # per calling thread: requests run in parallel, not the parts of one
    query = vector[None, :]
    if rows.compressed is None:
        _, nearest = faiss.knn(query, rows.vectors[: rows.count], depth, faiss.METRIC_INNER_PRODUCT)
        found = nearest[0]
        scores = rows.vectors[found] @ vector
    else:
        _, likely = rows.compressed.search(query, min(_RERANKED * depth, rows.covered))
        reranked = likely[0][likely[0] >= 0]
        # The tail as a slice: picking its rows one by one would copy megabytes.
        tail = rows.vectors[rows.covered : rows.count] @ vector
        scores = np.concatenate([rows.vectors[reranked] @ vector, tail])
        found = np.concatenate([reranked, np.arange(rows.covered, rows.count)])
    order = np.lexsort((found, -scores))[:depth]
    return scores[order], found[order]

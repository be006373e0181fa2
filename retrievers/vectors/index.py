"""Nearest items to a vector: exact while there are few, through a compressed index with exact re-ranking above that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from weakref import WeakSet

import faiss
import numpy as np
import orjson

from core.filters import Filters, passes
from core.types import Floats, Item, ItemId, Scored
from retrievers.vectors.moment import Moment
from retrievers.vectors.rows import (
    FIRST_CAPACITY,
    Rows,
    absorbed,
    appended,
    compacted,
    compressed,
    no_rows,
    numbers,
    roomy,
    search,
)
from retrievers.vectors.seen import SeenVectors

log = logging.getLogger(__name__)

COMPRESS_FROM = 20_000  # items; below, comparing with all of them takes about 1 ms
# Built anew when there are so many times the rows it was trained on, or when this share of the rows is dead.
_GROWTH = 2
_DEAD_SHARE = 0.2


class VectorIndex:
    """Cosine similarity of unit vectors, with adding and deleting while searches run."""

    def __init__(self, dimension: int, items: Mapping[ItemId, Item], *, compress_from: int = COMPRESS_FROM) -> None:
        """`items` is the shared table, which filters are looked up in; it knows of changes before this index does."""
        self._dimension = dimension
        self._items = items
        self._compress_from = compress_from
        self._writing = Lock()
        self._row: dict[ItemId, int] = {}
        self._rows = no_rows(dimension)
        self._rebuilding: Thread | None = None
        self._moments: WeakSet[Moment] = WeakSet()  # that are still to be written
        self._editions = count(1)
        self.edition = 0  # another one with every change of what is found

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, item_id: ItemId) -> bool:
        return item_id in self._row

    def now(self) -> SeenVectors:
        """What is there now; later changes are not seen, but that a row is emptied."""
        return SeenVectors(self._rows, self._row)

    def change(self, upserts: Mapping[ItemId, Floats], deletes: Collection[ItemId]) -> None:
        """Afterwards every upserted item is found by its new vector, and no deleted one is."""
        with self._writing:
            rows = self._rows
            for item_id in (*deletes, *upserts):
                if (row := self._row.pop(item_id, None)) is not None:
                    for moment in self._moments:
                        moment.keep(rows.vectors, row)
                    rows.ids[row] = None
                    rows.vectors[row] = 0
            if upserts:
                self._row.update(zip(upserts, range(rows.count, rows.count + len(upserts)), strict=True))
                self._rows = appended(rows, list(upserts), list(upserts.values()))
            self._keep_fast()
            self.edition = next(self._editions)

    def nearest(self, vector: Floats, depth: int, filters: Filters) -> list[Scored]:
        """Best first. Filters are applied to ever deeper answers until enough pass: right for any, quick for loose."""
        rows = self._rows
        asked = min(depth if not filters else 4 * depth, rows.count)
        while asked:
            scores, found = search(rows, vector, asked)
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
        self.saving()(folder)

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, what is there now to files in a folder."""
        with self._writing:
            moment = Moment(self._rows)
            self._moments.add(moment)
        return moment.write

    def restore(self, folder: Path) -> None:
        """Become what was saved, on a fresh index.

        The vectors are copied from the file, not mapped: room to append needs a copy, and deleting writes.
        """
        known = orjson.loads((folder / "rows.json").read_bytes())
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        codes = folder / "compressed.faiss"
        self._rows = Rows(
            vectors=roomy(vectors),
            ids=known["ids"],
            count=len(vectors),
            compressed=faiss.read_index(str(codes)) if codes.is_file() else None,
            covered=known["covered"],
            trained=known["trained"],
        )
        self._row = numbers(known["ids"])
        self.edition = next(self._editions)

    def _keep_fast(self) -> None:
        rows = self._rows
        dead = rows.count - len(self._row) > max(FIRST_CAPACITY, _DEAD_SHARE * rows.count)
        if len(self._row) < self._compress_from:
            if dead:
                self._replace(rows, compacted(rows))
        elif dead or rows.count >= _GROWTH * rows.trained:
            self._start_rebuilding()
        self._rows = absorbed(self._rows)

    def _start_rebuilding(self) -> None:
        if self._rebuilding is None or not self._rebuilding.is_alive():
            self._rebuilding = Thread(target=self._rebuild, name="vector-index", daemon=True)
            self._rebuilding.start()

    def _rebuild(self) -> None:
        """Beside the searches: what they see is replaced at the end, unless the rows were renumbered meanwhile."""
        try:
            old = self._rows
            new = compacted(old)
            new = compressed(new)
            with self._writing:
                if self._rows.ids is old.ids:
                    self._replace(old, new)
                    self._rows = absorbed(self._rows)
        except Exception:  # searches go on with what there is
            log.exception("the vector index could not be compressed")

    def _replace(self, old: Rows, new: Rows) -> None:
        """Let `new`, which was made of `old`, take over, with what has changed since."""
        now = self._rows
        for row, item_id in enumerate(new.ids):
            if item_id is not None and self._row.get(item_id, old.count) >= old.count:  # gone, or has a newer row
                new.ids[row] = None
                new.vectors[row] = 0
        late = [row for row in range(old.count, now.count) if now.ids[row] is not None]
        new = appended(new, [now.ids[row] for row in late], now.vectors[late])
        self._row = numbers(new.ids)
        self._rows = new
        self.edition = next(self._editions)

"""The rows of vectors of one moment, which can be written while they go on changing."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import orjson

from core.types import Floats
from retrievers.vectors.rows import Rows


class Moment:
    """Rows as they are now. They are not copied, being most of what an index holds: only those that are emptied later
    are."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._ids = rows.ids[: rows.count]
        self._emptied: dict[int, Floats] = {}

    def keep(self, vectors: Floats, row: int) -> None:
        """This row of these vectors is about to be emptied."""
        if vectors is self._rows.vectors and row < self._rows.count:
            self._emptied[row] = vectors[row].copy()

    def write(self, folder: Path) -> None:
        """The vectors, the ids and the compressed index, to files in this folder."""
        rows = self._rows
        np.save(folder / "vectors.npy", rows.vectors[: rows.count])
        if kept := self._emptied.copy():
            written = np.load(folder / "vectors.npy", mmap_mode="r+")
            written[list(kept)] = list(kept.values())
            del written  # no flush, which would hold up searches: all files of a checkpoint are synced at its end
        known = {"ids": self._ids, "covered": rows.covered, "trained": rows.trained}
        (folder / "rows.json").write_bytes(orjson.dumps(known))
        if rows.compressed is not None:
            faiss.write_index(rows.compressed, str(folder / "compressed.faiss"))

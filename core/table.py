"""A table by item id that can be put on disk, and whose rows are read from there when they are first asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.types import ItemId

Row = TypeVar("Row")


class Table(Mapping[ItemId, Row], Generic[Row]):
    """Rows by id. One thread may change it while others read.

    A restored table holds places in a file. What is read is kept, so that a row costs its decoding once.
    """

    def __init__(self, encode: Callable[[Row], bytes], decode: Callable[[ItemId, bytes], Row]) -> None:
        self._encode = encode
        self._decode = decode
        self._rows: dict[ItemId, Row | _Place] = {}
        self._file: mmap | bytes = b""
        self._starts: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self._keeping = Lock()

    def __getitem__(self, item_id: ItemId) -> Row:
        found = self._rows[item_id]
        if not isinstance(found, _Place):
            return found
        row = self._decode(item_id, self._bytes(found))
        with self._keeping:
            if self._rows.get(item_id) is found:  # else it was changed meanwhile
                self._rows[item_id] = row
        return row

    def __iter__(self) -> Iterator[ItemId]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    def change(self, rows: Mapping[ItemId, Row], gone: Collection[ItemId]) -> None:
        """Afterwards `rows` are there as given, and none of `gone` that is not among them."""
        with self._keeping:
            for item_id in gone:
                self._rows.pop(item_id, None)
            self._rows.update(rows)

    def save(self, folder: Path) -> None:
        """Write all rows to files in this folder."""
        ids, lengths = [], []
        with (folder / "rows").open("wb") as file:
            for item_id, row in self._rows.items():
                data = self._bytes(row) if isinstance(row, _Place) else self._encode(row)
                ids.append(item_id)
                lengths.append(file.write(data))
        np.save(folder / "starts.npy", np.cumsum([0, *lengths], dtype=np.int64))
        (folder / "ids.json").write_text(json.dumps(ids), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Hold exactly what was saved there. The folder may be removed afterwards."""
        ids: list[ItemId] = json.loads((folder / "ids.json").read_bytes())
        starts = np.load(folder / "starts.npy")
        with (folder / "rows").open("rb") as file:
            rows = mmap(file.fileno(), 0, access=ACCESS_READ) if starts[-1] else b""
        if len(starts) != len(ids) + 1 or starts[-1] != len(rows):
            raise ValueError(f"{folder} holds {len(ids)} ids for {len(starts) - 1} rows, and {len(rows)} bytes.")
        self._file, self._starts = rows, starts
        self._rows = dict(zip(ids, map(_Place, range(len(ids))), strict=True))

    def _bytes(self, place: _Place) -> bytes:
        return bytes(self._file[self._starts[place] : self._starts[place + 1]])


class _Place(int):
    """The number of a row in the file."""

"""A table by item id that can be put on disk, whose rows are read from there when first asked for, or ahead of that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from core.long_json import write_list
from core.pace import unhurried
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
        return self._read(item_id, self._rows[item_id])

    def held(self, item_ids: Collection[ItemId]) -> Held[Row]:
        """Those of these that are there now, in their order."""
        looked_up = zip(item_ids, map(self._rows.get, item_ids), strict=True)
        return Held({item_id: row for item_id, row in looked_up if row is not None}, self._read)

    def read_ahead(self, most: int, portion: int = 500) -> Iterator[int]:
        """Read up to `most` rows before anybody asks for them; yields how many were read after each portion."""
        waiting = [item_id for item_id, row in list(self._rows.items()) if isinstance(row, _Place)][:most]
        for start in range(0, len(waiting), portion):
            ids = waiting[start : start + portion]
            yield sum(self.get(item_id) is not None for item_id in ids)

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
        self.saving()(folder)

    def saving(self) -> Callable[[Path], None]:
        """Writes, when called, the rows of now."""
        with self._keeping:
            rows = dict(self._rows)
        return partial(self._write, rows)

    def _write(self, rows: Mapping[ItemId, Row | _Place], folder: Path) -> None:
        with (folder / "rows").open("wb") as file:
            encoded = (self._bytes(row) if isinstance(row, _Place) else self._encode(row) for row in rows.values())
            lengths = [*map(file.write, unhurried(encoded))]
        np.save(folder / "starts.npy", np.cumsum([0, *lengths], dtype=np.int64))
        write_list(folder / "ids.json", [*rows])

    def restore(self, folder: Path) -> None:
        """Hold exactly what was saved there. The folder may be removed afterwards."""
        ids: list[ItemId] = orjson.loads((folder / "ids.json").read_bytes())
        starts = np.load(folder / "starts.npy")
        with (folder / "rows").open("rb") as file:
            rows = mmap(file.fileno(), 0, access=ACCESS_READ) if starts[-1] else b""
        if len(starts) != len(ids) + 1 or starts[-1] != len(rows):
            raise ValueError(f"{folder} holds {len(ids)} ids for {len(starts) - 1} rows, and {len(rows)} bytes.")
        self._file, self._starts = rows, starts
        self._rows = dict(zip(ids, map(_Place, range(len(ids))), strict=True))

    def _read(self, item_id: ItemId, found: Row | _Place) -> Row:
        if not isinstance(found, _Place):
            return found
        row = self._decode(item_id, self._bytes(found))
        with self._keeping:
            if self._rows.get(item_id) is found:  # else it was changed meanwhile
                self._rows[item_id] = row
        return row

    def _bytes(self, place: _Place) -> bytes:
        return bytes(self._file[self._starts[place] : self._starts[place + 1]])


class Held(Mapping[ItemId, Row], Generic[Row]):
    """Rows as they were when they were looked up, whatever becomes of the table; each is read when first asked for."""

    def __init__(self, found: dict[ItemId, Row | _Place], read: Callable[[ItemId, Row | _Place], Row]) -> None:
        self._found = found
        self._read = read

    def __getitem__(self, item_id: ItemId) -> Row:
        return self._read(item_id, self._found[item_id])

    def __iter__(self) -> Iterator[ItemId]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class _Place(int):
    """The number of a row in the file."""

"""Rows of different lengths by slot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking.features.slots import Numbers, grown

Array = NDArray[Any]
_LEAST_DEAD = 1_024


@dataclass(frozen=True, slots=True)
class _Rows:
    """Row n is at starts[n]:starts[n] + lengths[n] of every one of `parts`, which are filled up to `used`."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int32]
    parts: tuple[Array, ...]
    used: int

    def flat(self, slots: Numbers) -> Flat:
        lengths = self.lengths.take(slots)
        ends = lengths.cumsum(dtype=np.int64)
        at = np.repeat(self.starts.take(slots) + lengths - ends, lengths)
        at += np.arange(len(at))
        return Flat(ends, at, self.parts)

    def compacted(self, alive: Numbers) -> _Rows:
        """With the rows of these slots alone."""
        flat = self.flat(alive)
        starts, lengths = np.zeros_like(self.starts), np.zeros_like(self.lengths)
        lengths[alive] = self.lengths[alive]
        starts[alive] = flat.ends - lengths[alive]
        return _Rows(starts, lengths, tuple(part[flat.at] for part in self.parts), len(flat.at))


@dataclass(frozen=True, slots=True)
class Flat:
    """Rows one after another: `ends[n]` is where the n-th one ends, `at` where each entry is in the parts."""

    ends: NDArray[np.int64]
    at: NDArray[np.int64]
    parts: tuple[Array, ...]

    def rows(self, entries: Numbers) -> Numbers:
        """To which row each entry belongs."""
        return np.searchsorted(self.ends, entries, side="right")

    def sums(self, counted: NDArray[np.bool_]) -> NDArray[np.int32]:
        """How many entries of each row are counted."""
        starts = np.zeros_like(self.ends)
        starts[1:] = self.ends[:-1]
        filled = starts < self.ends  # for an empty row it would take an entry of another
        sums = np.zeros(len(starts), dtype=np.int32)
        sums[filled] = np.add.reduceat(counted, starts[filled], dtype=np.int32)
        return sums


class Ragged:
    """Rows by slot, each in several parts of equal length. One thread may change it while others read."""

    def __init__(self, *kinds: type[np.generic]) -> None:
        parts = tuple(np.empty(0, dtype=kind) for kind in kinds)
        self._now = _Rows(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32), parts, 0)
        self._dead = 0

    def put(self, slots: Sequence[int], lengths: NDArray[np.int64], *rows: Array) -> None:
        """Set the rows of these slots, which have none yet; each part of all of them in one array."""
        now = self._now
        used = now.used + int(lengths.sum())
        starts = grown(now.starts, max(slots, default=-1) + 1, 0)
        counts = grown(now.lengths, len(starts), 0)
        parts = tuple(grown(part, used, 0) for part in now.parts)
        for n, part in enumerate(parts):
            part[now.used : used] = rows[n]
        starts[slots] = now.used + np.cumsum(lengths) - lengths
        counts[slots] = lengths
        self._now = _Rows(starts, counts, parts, used)

    def entries(self, part: int) -> Array:
        """Of all rows, in no order, those dropped lately among them."""
        return self._now.parts[part][: self._now.used]

    def row(self, slot: int) -> tuple[Array, ...]:
        now = self._now
        span = slice(now.starts[slot], now.starts[slot] + now.lengths[slot])
        return tuple(part[span] for part in now.parts)

    def drop(self, slots: Sequence[int]) -> None:
        """Nobody reads these rows any more."""
        lengths = self._now.lengths
        self._dead += int(lengths[list(slots)].sum())
        lengths[list(slots)] = 0
        if self._dead > max(_LEAST_DEAD, self._now.used // 2):
            self._now, self._dead = self._now.compacted(np.flatnonzero(lengths)), 0

    def flat(self, slots: Numbers) -> Flat:
        return self._now.flat(slots)

    def saving(self, alive: Numbers) -> Callable[[Path, str], None]:
        """Writes, when called, what the rows of these slots are now: all that there are for who restores them.

        Parts are not copied: entries are appended, and never changed.
        """
        now = replace(self._now, starts=self._now.starts.copy(), lengths=self._now.lengths.copy())

        def write(folder: Path, name: str) -> None:
            kept = now.compacted(alive)
            held: dict[str, Any] = {f"part{n}": part for n, part in enumerate(kept.parts)}
            with (folder / f"{name}.npz").open("wb") as file:
                np.savez(file, starts=kept.starts, lengths=kept.lengths, **held)

        return write

    def restore(self, folder: Path, name: str) -> None:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
            parts = tuple(stored[f"part{n}"] for n in range(len(self._now.parts)))
            self._now = _Rows(stored["starts"], stored["lengths"], parts, len(parts[0]))
        self._dead = 0

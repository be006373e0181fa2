"""How near items are to a session by vectors that somebody else keeps, in rows of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Protocol

import numpy as np

from core.types import Floats, ItemId
from ranking.features.slots import UNKNOWN, Numbers, grown


class Vectors(Protocol):
    """Unit vectors of items as one request sees them. An item's row stays what it is, or is emptied, until there is
    another `numbering`."""

    @property
    def numbering(self) -> object: ...

    def rows_of(self, item_ids: Sequence[ItemId]) -> Numbers:
        """[items] UNKNOWN where there is no vector."""
        ...

    def mean(self, weights: Mapping[ItemId, float]) -> Floats | None:
        """[dimension] weighted, of length 1; None when none of the items has a vector."""
        ...

    def cosines(self, vector: Floats, rows: Numbers) -> Floats:
        """[rows] exactly 0 where a row was emptied, or is not there."""
        ...


class VectorRows:
    """Row by slot, as far as it was looked up before: 200 ids cost more to look up than their vectors to compare.

    One thread may put items while others ask.
    """

    def __init__(self, now: Callable[[], Vectors]) -> None:
        self._now = now
        self._changing = Lock()
        self.forget()

    def forget(self) -> None:
        """All slots are new."""
        with self._changing:
            self._known: tuple[object, Numbers] = None, np.empty(0, dtype=np.intp)

    def put(self, slots: Sequence[int]) -> None:
        """Other items are in these slots now."""
        with self._changing:
            _, rows = self._known
            rows[[slot for slot in slots if slot < len(rows)]] = UNKNOWN

    def closeness(self, session: Sequence[ItemId], item_ids: Sequence[ItemId], slots: Numbers) -> Floats:
        """[items] cosines with the mean of the session's vectors; NaN where there is no vector."""
        vectors = self._now()
        mean = vectors.mean(dict.fromkeys(session, 1.0))
        if mean is None:
            return np.full(len(slots), np.nan, dtype=np.float32)
        known = self._by_slot(vectors.numbering, int(slots.max()) + 1)
        cosines = vectors.cosines(mean, known.take(slots))
        lost = np.flatnonzero(cosines == 0)
        if lost.size:  # never looked up, or has another row by now
            rows = vectors.rows_of([item_ids[n] for n in lost.tolist()])
            known[slots[lost]] = rows
            cosines[lost] = np.where(rows == UNKNOWN, np.nan, vectors.cosines(mean, rows))
        return cosines

    def _by_slot(self, numbering: object, size: int) -> Numbers:
        """UNKNOWN where nobody looked yet. Who writes into it after it was replaced has only looked in vain."""
        known, rows = self._known
        if known is not numbering or len(rows) < size:
            with self._changing:
                known, rows = self._known
                rows = grown(rows if known is numbering else rows[:0], size, UNKNOWN)
                self._known = numbering, rows
        return rows

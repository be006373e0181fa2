"""How the item goes with what this session took."""

from __future__ import annotations

import numpy as np

from core.types import Floats
from ranking.features.asked import Asked, ToSession
from ranking.features.feature import Feature
from ranking.features.item_columns import ItemColumns
from ranking.features.slots import UNKNOWN, Slots
from ranking.features.vector_rows import VectorRows

_NEWEST = 10  # items of the session that count
_SOURCE, _NO_SESSION = "session and catalogue", "nothing taken in this session"


class SessionFeatures:
    """What is told by vectors and by other customers comes from elsewhere; types and brands are compared here."""

    features = (
        Feature("session.closeness", "cosine of the item's vector and the mean of the session's", "vector index", "",
                "-1..1", "nothing taken in this session, or no vector"),
        Feature("session.related", "significance of the relations between the session's items and this one",
                "related model", "standard deviations", "0..", "nothing taken in this session that has relations"),
        Feature("session.same_type", "of the session's items, those of this type", _SOURCE, "share", "0..1",
                _NO_SESSION),
        Feature("session.same_brand", "of the session's items, those of this brand", _SOURCE, "share", "0..1",
                f"{_NO_SESSION}, or no brand"),
        Feature("session.length", "items taken in this session", "session", "log(1 + items)", "0.."),
    )  # fmt: skip

    def __init__(
        self, slots: Slots, columns: ItemColumns, vectors: VectorRows | None, related: ToSession | None
    ) -> None:
        """All but `related` are kept up to date by somebody else."""
        self._slots = slots
        self._columns = columns
        self._vectors = vectors
        self._related = related

    def compute(self, asked: Asked, out: Floats) -> None:
        history = asked.query.history[-_NEWEST:]
        out[:4] = np.nan
        out[4] = np.log1p(len(asked.query.history))
        if not history:
            return
        if self._vectors is not None:
            out[0] = self._vectors.closeness(history, asked.ids, asked.slots)
        if self._related is not None:
            out[1] = self._related(history, asked.ids)
        taken = self._slots.look_up(history)
        taken = taken[taken != UNKNOWN]
        if taken.size:
            types, brands = self._columns.types[taken], self._columns.brands[taken]
            out[2] = np.count_nonzero(types[:, None] == asked.types, axis=0) / taken.size
            out[3] = np.count_nonzero(brands[:, None] == asked.brands, axis=0) / taken.size
            out[3, asked.brands == UNKNOWN] = np.nan

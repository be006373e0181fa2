"""The last answer before none: what was popular when that arm last worked. No arm is asked for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from app.search.fanout import FanOut
from core.filters import passes
from core.types import Item, ItemId, Plan, Query, QueryId, Scored

log = logging.getLogger(__name__)

NAME = "last_resort"
_KEPT = 1_000


class LastResort:
    """A list of items in memory, replaced by each `refresh` that the popular arm answers."""

    def __init__(self, fan_out: FanOut, items: Mapping[ItemId, Item], *, arm: str) -> None:
        self._fan_out = fan_out
        self._items = items
        self._arm = arm
        self._found: tuple[Scored, ...] = ()

    def refresh(self, now: float) -> None:
        """Ask that arm what is popular with everybody; when it fails, what was known stays."""
        everybody = Query(QueryId(NAME), "", now)
        answers, _ = self._fan_out(Plan(NAME, {self._arm: _KEPT}), everybody)
        self._found = tuple(answers.get(self._arm) or self._found)

    def __call__(self, query: Query, depth: int) -> list[Scored]:
        """At most `depth` of the kept items, best first, that are still there and pass the filters."""
        there = (hit for hit in self._found if hit.item_id in self._items)
        return [hit for hit in there if passes(hit.item_id, self._items, query.filters)][:depth]

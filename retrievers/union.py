"""The union of the arms' answers: every candidate once, with each arm's rank and score kept and no common score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.table import Table
from core.types import Item, ItemId, Scored
from core.union import Placed, Union

_GONE = -1


def union(answers: Mapping[str, Sequence[Scored]], items: Mapping[ItemId, Item]) -> Union:
    """Candidates in order of first sight, arms by name; items that have left the catalogue meanwhile are dropped."""
    arms = sorted(answers)
    kept = _there(dict.fromkeys([hit.item_id for arm in arms for hit in answers[arm]]), items)
    rows = dict(zip(kept, range(len(kept)), strict=True))
    return Union(kept, {arm: _placed(answers[arm], rows) for arm in arms})


def _there(item_ids: Mapping[ItemId, None], items: Mapping[ItemId, Item]) -> Mapping[ItemId, Item]:
    """Those of the catalogue. Of a table they are not read here: few of them are shown, and only these need be."""
    if isinstance(items, Table):
        return items.held(item_ids)
    return {item_id: items[item_id] for item_id in item_ids if item_id in items}


def _placed(hits: Sequence[Scored], row_of: Mapping[ItemId, int]) -> Placed:
    """Of an item that the arm has twice, the first counts."""
    rows = [row_of.get(hit.item_id, _GONE) for hit in hits]
    ranks = dict(zip(rows, range(1, len(rows) + 1), strict=True))
    if len(ranks) < len(rows) or _GONE in ranks:
        ranks = {}
        for rank, row in enumerate(rows, start=1):
            if row != _GONE:
                ranks.setdefault(row, rank)
    return Placed(hits, ranks)

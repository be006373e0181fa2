"""The union of the arms' answers: every candidate once, with each arm's rank and score kept and no common score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.types import Candidate, Item, ItemId, Scored


def union(answers: Mapping[str, Sequence[Scored]], items: Mapping[ItemId, Item]) -> list[Candidate]:
    """Candidates in order of first sight, arms by name; items that have left the catalogue meanwhile are dropped."""
    ranks: dict[ItemId, dict[str, int]] = {}
    scores: dict[ItemId, dict[str, float]] = {}
    predicted: dict[ItemId, set[str]] = {}
    why: dict[ItemId, dict[str, str]] = {}
    for arm in sorted(answers):
        for rank, hit in enumerate(answers[arm], start=1):
            ranks.setdefault(hit.item_id, {}).setdefault(arm, rank)
            scores.setdefault(hit.item_id, {}).setdefault(arm, hit.score)
            if hit.predicted:
                predicted.setdefault(hit.item_id, set()).add(arm)
            if hit.why:
                why.setdefault(hit.item_id, {})[arm] = hit.why
    return [
        Candidate(
            item,
            ranks[item_id],
            scores[item_id],
            frozenset(predicted.get(item_id, ())),
            why.get(item_id, {}),
        )
        for item_id in ranks
        if (item := items.get(item_id))
    ]

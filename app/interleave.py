"""One answer of two: their candidates in the order of a team draft, each as the team that drafted it knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.pipeline import Answer
from bandit.experiments.interleaving import SECOND, team_draft
from core.types import ArmReport, ArmStatus, Features


def interleave(first: Answer, second: Answer, *, seed: int) -> Answer:
    """`first`, with the candidates of both: ranks, features and score of each are those of its team.

    Scores of two rankers cannot be compared, so they need not fall. What neither team drafted is of the one that has
    it. The ranker is named `first + second` where they differ.
    """
    places = [{candidate.item.id: row for row, candidate in enumerate(a.candidates)} for a in (first, second)]
    draft = team_draft(list(places[0]), list(places[1]), seed=seed, key=first.query.id)
    # Rows of both answers, one below the other.
    rows = [
        len(first.candidates) + places[1][item_id] if team == SECOND or item_id not in places[0] else places[0][item_id]
        for item_id, team in zip(draft.items, draft.teams, strict=True)
    ]
    candidates = (*first.candidates, *second.candidates)
    return replace(
        first,
        candidates=tuple(candidates[row] for row in rows),
        scores=np.concatenate([first.scores, second.scores])[rows],
        features=Features(first.features.names, np.vstack([first.features.values, second.features.values])[rows]),
        arms=_reports(first.arms, second.arms),
        ranker=first.ranker if first.ranker == second.ranker else f"{first.ranker} + {second.ranker}",
        teams=draft.teams,
    )


def _reports(first: Mapping[str, ArmReport], second: Mapping[str, ArmReport]) -> dict[str, ArmReport]:
    """Of an arm that both asked: what tells of a failure, otherwise of the deeper question."""

    def telling(arm: str) -> ArmReport:
        reports = [asked[arm] for asked in (first, second) if arm in asked]
        return max(reports, key=lambda report: (report.status is not ArmStatus.OK, report.depth))

    return {arm: telling(arm) for arm in (*first, *second)}

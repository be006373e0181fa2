"""One answer of two: their candidates in the order of a team draft, each as the team that drafted it knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.search.answer import Answer
from bandit.experiments.interleaving import SECOND, team_draft
from core.types import ArmReport, ArmStatus
from core.union import ids_of


def interleave(first: Answer, second: Answer, *, seed: int) -> Answer:
    """`first`, with the candidates of both: ranks, features and score of each are those of its team.

    Scores of two rankers cannot be compared, so they need not fall. What neither team drafted is of the one that has
    it. The ranker is named `first + second` where they differ.
    """
    places = [{item_id: row for row, item_id in enumerate(ids_of(a.candidates))} for a in (first, second)]
    draft = team_draft(list(places[0]), list(places[1]), seed=seed, key=first.query.id)
    # Rows of both answers, one below the other.
    rows = [
        len(first.candidates) + places[1][item_id] if team == SECOND or item_id not in places[0] else places[0][item_id]
        for item_id, team in zip(draft.items, draft.teams, strict=True)
    ]
    neural = _telling([report for report in (first.ranked.neural, second.ranked.neural) if report])
    return replace(
        first,
        ranked=replace(first.ranked.above(second.ranked).reordered(rows), neural=neural),
        arms=_reports(first.arms, second.arms),
        teams=draft.teams,
    )


def _reports(first: Mapping[str, ArmReport], second: Mapping[str, ArmReport]) -> dict[str, ArmReport]:
    asked = {arm: [reports[arm] for reports in (first, second) if arm in reports] for arm in (*first, *second)}
    return {arm: report for arm, reports in asked.items() if (report := _telling(reports))}


def _telling(reports: Sequence[ArmReport]) -> ArmReport | None:
    """Of one or two: what tells of a failure, otherwise of the deeper question."""
    return max(reports, key=lambda report: (report.status is not ArmStatus.OK, report.depth), default=None)

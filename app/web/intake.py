"""Feedback on its way into the log: what is stored, and why the rest is refused, entry by entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from app.insights.live import Live
from app.operating.metrics import Metrics
from app.schemas.events import EventsAnswer
from app.schemas.parts import Rejection
from app.service import Service
from core.episodes import Feedback
from core.errors import unknown
from core.protocols import Outcome

_REFUSALS = {
    Outcome.UNKNOWN_QUERY: (
        "unknown_query",
        "No search with query_id {0.query_id!r} was answered here.",
        "Send the query_id of a search; a preview is not logged and takes no feedback.",
    ),
    Outcome.NOT_SHOWN: (
        "item_not_shown",
        "Item {0.item_id!r} was not among the results of query {0.query_id!r}.",
        "Send feedback only for items on the page that was answered.",
    ),
    Outcome.CONFLICT: (
        "event_id_reused",
        "event_id {0.event_id!r} was used before for another event.",
        "Give every event an id of its own; repeat one only with the same content.",
    ),
}


def take(
    events: Sequence[tuple[int, Feedback]],
    rejected: Sequence[Rejection],
    *,
    service: Service,
    weights: Mapping[str, float],
    metrics: Metrics,
    noticed: Live,
) -> EventsAnswer:
    """Store the events, given with the place of their entry; the answer also has what was `rejected` before."""
    refused = [
        *rejected,
        *(_unknown_action(n, event.action, weights) for n, event in events if event.action not in weights),
    ]
    known = [(n, event) for n, event in events if event.action in weights]
    outcomes = service.record([event for _, event in known])
    metrics.events(Counter((event.action, outcome) for (_, event), outcome in zip(known, outcomes, strict=True)))
    for (index, event), outcome in zip(known, outcomes, strict=True):
        if outcome in _REFUSALS:
            refused.append(_refusal(index, event, outcome))
    noticed.taken([event for _, event in known], outcomes)
    for each in refused:
        noticed.refused(each.code, each.message, each.remedy)
    return EventsAnswer(
        stored=outcomes.count(Outcome.STORED),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        rejected=sorted(refused, key=lambda rejection: rejection.index),
    )


def _unknown_action(index: int, action: str, allowed: Mapping[str, float]) -> Rejection:
    return Rejection(
        index=index,
        code="unknown_action",
        message=unknown("action_name", action, allowed),
        remedy="Use one of these, or give the action a weight under [feedback.weights].",
    )


def _refusal(index: int, event: Feedback, outcome: Outcome) -> Rejection:
    code, message, remedy = _REFUSALS[outcome]
    return Rejection(index=index, code=code, message=message.format(event), remedy=remedy)

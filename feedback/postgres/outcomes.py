"""What becomes of feedback: decided by what the database holds of its events and searches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from core.episodes import Feedback
from core.protocols import Outcome
from feedback.event_log import Known
from feedback.postgres.database import Connection
from feedback.postgres.texts import stored


class Judge:
    """`ask`, `decide`, write `rows`, `settle`: then `outcomes` says for each batch what became of its events."""

    def __init__(self, batches: Sequence[tuple[Sequence[Feedback], Sequence[bytes]]]) -> None:
        """Events of several senders, with their bodies."""
        self._batches = batches
        self.needed = bool(batches)
        self.rows: list[tuple[Any, ...]] = []
        self.outcomes: list[list[Outcome]] = []
        self._answers: list[Any] = []

    def ask(self, line: Connection) -> None:
        """Which of the events, and which pages, are there. May be within a pipeline."""
        if self.needed:
            events = [event for batch, _ in self._batches for event in batch]
            ids = ([stored(event.event_id) for event in events], [stored(event.query_id) for event in events])
            self._answers = [
                line.execute("SELECT event_id, body FROM feedback WHERE event_id = ANY(%s)", ids[:1], binary=True),
                line.execute("SELECT query_id, shown FROM impressions WHERE query_id = ANY(%s)", ids[1:], binary=True),
            ]

    def decide(self) -> None:
        if not self.needed:
            return
        shown = {query_id: frozenset(orjson.loads(items)) for query_id, items in self._answers[1]}
        known = Known(dict(self._answers[0]), shown)
        self.outcomes = [[*map(partial(self._one, known), batch, bodies)] for batch, bodies in self._batches]

    def settle(self, line: Connection, entered: set[str]) -> None:
        """Correct what another process was quicker with."""
        lost = {row[0] for row in self.rows} - entered
        if not lost:
            return
        there: dict[str, bytes] = dict(
            line.execute("SELECT event_id, body FROM feedback WHERE event_id = ANY(%s)", ([*lost],), binary=True)
        )
        self.outcomes = [
            [self._corrected(*each, there, lost) for each in zip(*batch, found, strict=True)]
            for batch, found in zip(self._batches, self.outcomes, strict=True)
        ]

    def _corrected(
        self, event: Feedback, body: bytes, outcome: Outcome, there: Mapping[str, bytes], lost: Collection[str]
    ) -> Outcome:
        event_id = stored(event.event_id)
        if event_id not in lost or outcome in (Outcome.UNKNOWN_QUERY, Outcome.NOT_SHOWN):
            return outcome
        return Outcome.DUPLICATE if there.get(event_id, body) == body else Outcome.CONFLICT

    def _one(self, known: Known, event: Feedback, body: bytes) -> Outcome:
        event_id, query_id = stored(event.event_id), stored(event.query_id)
        outcome = known.outcome(event_id, query_id, event.item_id, body)
        if outcome is Outcome.STORED:
            named = [None if each is None else stored(each) for each in (event.user_id, event.client_id)]
            self.rows.append((event_id, query_id, event.received, *named, body))
        return outcome

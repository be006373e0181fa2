"""The event log in PostgreSQL, as those see it who append and read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from core.episodes import Feedback, Impression, Shadow
from core.protocols import Logged, Outcome
from core.types import QueryId
from feedback.encoding import decode_feedback, decode_impression, decode_shadow
from feedback.event_log import by_query
from feedback.group_commit import GroupCommit
from feedback.postgres.database import Database
from feedback.postgres.erasing import erase, forget_before
from feedback.postgres.event_writer import EventWriter
from feedback.postgres.jobs import Job, feedback_job, impression_job, shadow_job
from feedback.postgres.settling import Settled
from feedback.postgres.texts import plain, stored


class PostgresEventStore:
    """One writer a process, on a connection of its own; readers take theirs from the pool."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settled = Settled(database)
        self._names: dict[str, tuple[str, ...]] = {}
        self._writer = EventWriter(database)
        self._log: GroupCommit[Job] = GroupCommit(self._writer.commit)

    def append_impression(self, impression: Impression) -> None:
        """Conflict when the query_id is in the log already."""
        self._log.durably(impression_job(impression))

    def append_feedback(self, events: Sequence[Feedback]) -> list[Outcome]:
        outcomes: list[Outcome] = self._log.durably(feedback_job(events)) if events else []
        return outcomes

    def append_shadow(self, shadow: Shadow) -> None:
        self._log.durably(shadow_job(shadow))

    def impressions(self, *, after: int, limit: int) -> list[Logged]:
        rows = self._database.rows(
            "SELECT sequence, query_id, time, body, context_schema, context, feature_schema, features "
            "FROM impressions WHERE sequence > %s AND sequence <= %s ORDER BY sequence LIMIT %s",
            (after, self._settled.for_reading(after=after, limit=limit), limit),
        )
        return [
            Logged(
                sequence,
                decode_impression(
                    plain(query_id), time, body, (self._schema(contexts), context), (self._schema(columns), features)
                ),
            )
            for sequence, query_id, time, body, contexts, context, columns, features in rows
        ]

    def feedback(self, query_ids: Collection[QueryId]) -> Mapping[QueryId, tuple[Feedback, ...]]:
        rows = self._of_queries("SELECT event_id, received, body FROM feedback", query_ids)
        return by_query(decode_feedback(plain(event_id), received, body) for event_id, received, body in rows)

    def shadows(self, query_ids: Collection[QueryId]) -> Mapping[QueryId, Shadow]:
        rows = self._of_queries("SELECT query_id, time, body FROM shadows", query_ids)
        found = (decode_shadow(plain(query_id), time, body) for query_id, time, body in rows)
        return {shadow.query_id: shadow for shadow in found}

    def counts(self) -> Mapping[str, int]:
        rows = self._database.rows(
            "SELECT count(*), count(DISTINCT client_id), (SELECT count(*) FROM feedback) FROM impressions"
        )
        impressions, clients, feedback = rows[0]
        return {"impressions": impressions, "feedback": feedback, "clients": clients}

    def erase(self, user_id: str) -> int:
        return erase(self._database, user_id)

    def forget_before(self, time: float) -> int:
        return forget_before(self._database, time)

    def close(self) -> None:
        """Commit what waits, then stop."""
        if self._log.close():
            self._writer.hang_up()

    def _of_queries(self, sql: str, query_ids: Collection[QueryId]) -> list[Any]:
        return self._database.rows(f"{sql} WHERE query_id = ANY(%s)", ([stored(each) for each in query_ids],))

    def _schema(self, schema_id: str) -> tuple[str, ...]:
        if schema_id not in self._names:
            names = self._database.rows("SELECT names FROM schemas WHERE id = %s", (schema_id,))[0][0]
            self._names[schema_id] = tuple(orjson.loads(names))
        return self._names[schema_id]

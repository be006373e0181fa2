"""The one connection of a process that appends events: what waits is committed together, in one or two round trips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from core.protocols import Outcome
from feedback.event_log import reused
from feedback.postgres.database import Connection, Database, alive
from feedback.postgres.jobs import FeedbackJob, ImpressionJob, Job, ShadowJob
from feedback.postgres.outcomes import Judge
from feedback.postgres.settling import hold_readers
from feedback.postgres.texts import plain

_APPEND = """
INSERT INTO impressions
    (query_id, time, user_id, client_id, body, shown, context_schema, context, feature_schema, features)
SELECT query_id, time, user_id, client_id, body, shown, context_schema, context, feature_schema, features
FROM unnest(%s::text[], %s::float8[], %s::text[], %s::text[], %b::bytea[], %b::bytea[], %s::text[], %b::bytea[],
            %s::text[], %b::bytea[]) WITH ORDINALITY
    AS sent (query_id, time, user_id, client_id, body, shown, context_schema, context, feature_schema, features, n)
ORDER BY n ON CONFLICT (query_id) DO NOTHING RETURNING query_id
"""
_SHADOWS = """
INSERT INTO shadows SELECT * FROM unnest(%s::text[], %s::float8[], %b::bytea[]) AS sent (query_id, time, body)
ORDER BY query_id ON CONFLICT DO NOTHING
"""
# In the order of their ids: two processes that are sent the same events then wait for one another, and never both.
_FEEDBACK = """
INSERT INTO feedback (event_id, query_id, received, user_id, client_id, body)
SELECT * FROM unnest(%s::text[], %s::text[], %s::float8[], %s::text[], %s::text[], %b::bytea[])
    AS sent (event_id, query_id, received, user_id, client_id, body)
ORDER BY event_id ON CONFLICT (event_id) DO NOTHING RETURNING event_id
"""


class EventWriter:
    """For one thread at a time. The connection is opened when it is needed, and anew after whatever went wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line: Connection | None = None
        self._known: set[str] = set()  # ids of schemas that are in the database

    def commit(self, jobs: Sequence[Job]) -> list[Any]:
        """What became of each job, once all are on disk: None, Conflict, or the outcomes of a batch of feedback.

        When it raises, nobody may be told that anything is safe: Unavailable for whatever the database cannot do.
        """
        try:
            return self._write(self._connected(), jobs)
        except BaseException as error:
            self.hang_up()
            if isinstance(error, psycopg.Error):
                raise self._database.unavailable(error) from error
            raise

    def hang_up(self) -> None:
        """Close the connection, if there is one."""
        line, self._line = self._line, None
        self._known.clear()
        if line is not None:
            line.close()

    def _write(self, line: Connection, jobs: Sequence[Job]) -> list[Any]:
        """What became of each. One round trip, or two when there is feedback, which depends on what is there."""
        shown = [job for job in jobs if isinstance(job, ImpressionJob)]
        shadowed = [job.row for job in jobs if isinstance(job, ShadowJob)]
        judge = Judge([(job.events, job.bodies) for job in jobs if isinstance(job, FeedbackJob)])
        with line.pipeline():
            line.execute("BEGIN")
            if shown:
                hold_readers(line)
            schemas = self._describe(line, shown)
            fresh = line.execute(_APPEND, _columns([job.row for job in shown])) if shown else None
            if shadowed:
                line.execute(_SHADOWS, _columns(shadowed))
            done = None if judge.needed else line.execute("COMMIT")
            judge.ask(line)
        judge.decide()
        if judge.needed:
            with line.pipeline():
                entered = line.execute(_FEEDBACK, _columns(judge.rows)) if judge.rows else None
                done = line.execute("COMMIT")
            judge.settle(line, {row[0] for row in entered} if entered else set())
        if done is None or done.statusmessage != "COMMIT":
            raise psycopg.OperationalError("the transaction was not committed")
        self._known |= schemas
        return _results(jobs, {row[0] for row in fresh} if fresh else set(), judge.outcomes)

    def _describe(self, line: Connection, shown: Sequence[ImpressionJob]) -> set[str]:
        """Say what the features are called, unless that is there; the ids of what was said."""
        new = {entry[0]: entry for job in shown for entry in job.schemas if entry[0] not in self._known}
        if new:
            line.execute(
                "INSERT INTO schemas SELECT * FROM unnest(%s::text[], %b::bytea[]) AS sent (id, names) ORDER BY id "
                "ON CONFLICT DO NOTHING",
                _columns(list(new.values())),
            )
        return set(new)

    def _connected(self) -> Connection:
        if self._line is None or not alive(self._line):
            self.hang_up()
            self._line = self._database.line()
        return self._line


def _results(jobs: Sequence[Job], fresh: set[str], outcomes: Sequence[list[Outcome]]) -> list[Any]:
    """In the order of the jobs. Of two impressions with the same id, the first one is the fresh one."""
    found: list[Any] = []
    left = iter(outcomes)
    for job in jobs:
        if isinstance(job, FeedbackJob):
            found.append(next(left))
        elif isinstance(job, ImpressionJob) and job.row[0] not in fresh:
            found.append(reused(plain(job.row[0])))
        else:
            found.append(None)
            if isinstance(job, ImpressionJob):
                fresh.remove(job.row[0])
    return found


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]

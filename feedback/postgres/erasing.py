"""What leaves the event log: all that a user did, or what is too old. Each statement is a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedback.postgres.database import Database
from feedback.postgres.texts import stored

_PORTION = 1_000  # impressions in one transaction
_ERASE = """
WITH named AS (SELECT query_id FROM feedback WHERE coalesce(user_id, client_id) = %(user)s),
impression AS (
    DELETE FROM impressions WHERE coalesce(user_id, client_id) = %(user)s
        OR coalesce(user_id, client_id) IS NULL AND query_id IN (SELECT query_id FROM named)
    RETURNING query_id
),
event AS (
    DELETE FROM feedback WHERE coalesce(user_id, client_id) = %(user)s
        OR query_id IN (SELECT query_id FROM impression)
    RETURNING 1
),
shadow AS (DELETE FROM shadows WHERE query_id IN (SELECT query_id FROM impression) RETURNING 1)
SELECT (SELECT count(*) FROM impression) + (SELECT count(*) FROM event) + (SELECT count(*) FROM shadow)
"""
_FORGET = """
WITH impression AS (
    DELETE FROM impressions WHERE sequence IN (
        SELECT sequence FROM impressions WHERE time < %(time)s ORDER BY time LIMIT %(portion)s
    ) RETURNING query_id
),
event AS (DELETE FROM feedback WHERE query_id IN (SELECT query_id FROM impression) RETURNING 1),
shadow AS (DELETE FROM shadows WHERE query_id IN (SELECT query_id FROM impression) RETURNING 1)
SELECT (SELECT count(*) FROM impression) + (SELECT count(*) FROM event) + (SELECT count(*) FROM shadow)
"""


def erase(database: Database, user_id: str) -> int:
    """As `EventStore.erase` says; the number of rows. Looks again after it removed some: others log meanwhile."""
    return _all(database, _ERASE, {"user": stored(user_id)})


def forget_before(database: Database, time: float) -> int:
    """As `EventStore.forget_before` says; the number of rows. In portions, the oldest first."""
    return _all(database, _FORGET, {"time": time, "portion": _PORTION})


def _all(database: Database, sql: str, parameters: Mapping[str, Any]) -> int:
    removed = 0
    while rows := _once(database, sql, parameters):
        removed += rows
    return removed


def _once(database: Database, sql: str, parameters: Mapping[str, Any]) -> int:
    with database.transaction() as connection:
        (removed,) = connection.execute(sql, parameters).fetchone() or (0,)
        return int(removed)

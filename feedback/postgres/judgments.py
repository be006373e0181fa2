"""Pairs and judgments in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import orjson

from feedback.judgments import Judgment, Pair, check, judgment_from, pair_from, reused
from feedback.postgres.database import Database
from feedback.postgres.texts import stored

_OFFER = """
INSERT INTO pairs (pair_id, body, current)
SELECT *, true FROM unnest(%s::text[], %b::bytea[]) AS sent (pair_id, body) ORDER BY pair_id
ON CONFLICT (pair_id) DO UPDATE SET current = true
"""
_OFFERED = """
SELECT body FROM pairs LEFT JOIN (SELECT pair_id, count(*) AS judged FROM judgments GROUP BY pair_id) AS counts
USING (pair_id) WHERE current ORDER BY coalesce(judged, 0), served, pair_id COLLATE "C"
"""
_JUDGED = """
SELECT pairs.body, judgments.body FROM judgments JOIN pairs USING (pair_id)
ORDER BY received, judgment_id COLLATE "C"
"""


class PostgresJudgmentStore:
    """In the database that all processes share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace_pairs(self, pairs: Sequence[Pair]) -> None:
        bodies = {stored(pair.pair_id): orjson.dumps(asdict(pair)) for pair in pairs}
        with self._database.transaction() as connection:
            connection.execute("LOCK TABLE pairs IN SHARE ROW EXCLUSIVE MODE")
            connection.execute("UPDATE pairs SET current = false")
            connection.execute(_OFFER, ([*bodies], [*bodies.values()]))
            connection.execute("DELETE FROM pairs WHERE NOT current AND served = 0")

    def offered(self) -> Iterator[Pair]:
        return (pair_from(body) for (body,) in self._database.rows(_OFFERED))

    def serve(self, pairs: Sequence[Pair]) -> None:
        if pairs:
            ids = [stored(pair.pair_id) for pair in pairs]
            with self._database.transaction() as connection:
                connection.execute("LOCK TABLE pairs IN SHARE ROW EXCLUSIVE MODE")  # two might wait for each other
                connection.execute("UPDATE pairs SET served = served + 1 WHERE pair_id = ANY(%s)", (ids,))

    def judge(self, judgment: Judgment, *, received: float) -> bool:
        body, judgment_id = orjson.dumps(asdict(judgment)), stored(judgment.judgment_id)
        pair_id = stored(judgment.pair_id)
        rows = self._database.rows("SELECT body FROM pairs WHERE pair_id = %s AND served > 0", (pair_id,))
        check(judgment, pair_from(rows[0][0]) if rows else None)
        with self._database.transaction() as connection:
            new = connection.execute(
                "INSERT INTO judgments VALUES (%s, %s, %s, %b) ON CONFLICT DO NOTHING",
                (judgment_id, pair_id, received, body),
            ).rowcount
        if not new:
            known = self._database.rows("SELECT body FROM judgments WHERE judgment_id = %s", (judgment_id,))
            if known[0][0] != body:
                raise reused(judgment.judgment_id)
        return bool(new)

    def judged(self) -> list[tuple[Pair, Judgment]]:
        return [(pair_from(pair), judgment_from(body)) for pair, body in self._database.rows(_JUDGED)]

    def close(self) -> None:
        """The database is closed by who has opened it."""

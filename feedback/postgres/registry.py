"""Model releases in PostgreSQL: a release, its objects and the pointer in one transaction, which wakes services."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from core.errors import Conflict
from core.protocols import Release
from feedback.postgres.database import CHANNEL, PUBLISHING, Connection, Database, lock_key
from feedback.releases import digest_of, no_such_release, whole

_RELEASE = "SELECT number, created, components, notes FROM releases"
_POINT = """
INSERT INTO current_release VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET number = excluded.number
"""


class PostgresRegistry:
    """Content-addressed objects, as in files. One publisher at a time, across processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(
        self, components: Mapping[str, bytes], *, notes: Mapping[str, str] | None = None, onto: Release | None = None
    ) -> Release:
        with self._database.transaction() as connection:
            current = _alone(connection)
            if onto is not None and (current is None or current.number != onto.number):
                now = f"release {current.number}" if current else "none"
                raise Conflict("release_moved_on", f"Release {onto.number} is not current: {now} is.", "Try again.")
            hashes = {name: _store(connection, data) for name, data in components.items()}
            (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM releases").fetchone() or (0,)
            release = Release(
                number=newest + 1,
                created=time.time(),
                components={**(current.components if current else {}), **hashes},
                notes=dict(notes or {}),
            )
            connection.execute(
                "INSERT INTO releases VALUES (%s, %s, %s, %s)",
                (release.number, release.created, json.dumps(release.components), json.dumps(release.notes)),
            )
            _point(connection, release.number)
            return release

    def current(self) -> Release | None:
        rows = self._database.rows(f"{_RELEASE} WHERE number = (SELECT number FROM current_release)")
        return _release(rows[0]) if rows else None

    def load(self, release: Release, component: str) -> bytes:
        rows = self._database.rows("SELECT data FROM objects WHERE digest = %s", (digest_of(release, component),))
        return whole(bytes(rows[0][0]) if rows else b"", release, component)

    def releases(self) -> list[Release]:
        return [_release(row) for row in self._database.rows(f"{_RELEASE} ORDER BY number")]

    def activate(self, number: int) -> Release:
        with self._database.transaction() as connection:
            _alone(connection)
            releases = {row[0]: _release(row) for row in connection.execute(f"{_RELEASE} ORDER BY number")}
            if number not in releases:
                raise no_such_release(number, releases)
            _point(connection, number)
            return releases[number]

    def collect(self, *, keep: int) -> int:
        with self._database.transaction() as connection:
            current = _alone(connection)
            releases = [_release(row) for row in connection.execute(f"{_RELEASE} ORDER BY number")]
            kept = [*releases[-keep:], *([current] if current else [])]
            needed = {digest for release in kept for digest in release.components.values()}
            connection.execute(
                "DELETE FROM releases WHERE NOT number = ANY(%s)", ([release.number for release in kept],)
            )
            return connection.execute("DELETE FROM objects WHERE NOT digest = ANY(%s)", ([*needed],)).rowcount


def _alone(connection: Connection) -> Release | None:
    """The current release, which no other publisher changes before this transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", lock_key(PUBLISHING))
    row = connection.execute(f"{_RELEASE} WHERE number = (SELECT number FROM current_release)").fetchone()
    return _release(row) if row else None


def _point(connection: Connection, number: int) -> None:
    connection.execute(_POINT, (number,))
    connection.execute("SELECT pg_notify(%s, 'release')", (CHANNEL,))


def _store(connection: Connection, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    there = connection.execute("SELECT 1 FROM objects WHERE digest = %s", (digest,)).fetchone()
    if not there:  # asked first, so that what is there is not sent again
        connection.execute("INSERT INTO objects VALUES (%s, %b)", (digest, data))
    return digest


def _release(row: tuple[Any, ...]) -> Release:
    number, created, components, notes = row
    return Release(number, created, json.loads(components), json.loads(notes))

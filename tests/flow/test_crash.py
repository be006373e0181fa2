"""What was acknowledged survives `kill -9` of the real service under load, and of the database server under it.

A few rounds here. `make crash ROUNDS=200` runs as many as it is told, and writes what they showed to
benchmarks/results/crash.json.
"""

from __future__ import annotations

import json
import os
import platform
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crash_world import Crowd, lost
from postgres_server import PostgresServer, postgres_server
from served import Served, within
from small_service import ITEMS

from app.schemas.items import ItemBody
from feedback.postgres.database import Database
from feedback.postgres.event_store import PostgresEventStore
from feedback.sqlite_store import SqliteEventStore

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "5"))
RESULTS = os.environ.get("CRASH_RESULTS")
SEED = int(os.environ.get("CRASH_SEED", "1"))
pytestmark = pytest.mark.timeout(120 + 60 * ROUNDS)
_SETTINGS = "[service]\nlearner = false\n[database]\nurl = '{url}'\n"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """Of its own, because it is killed; with fsync, as always."""
    with postgres_server() as started:
        yield started


@pytest.fixture
def home(tmp_path: Path, cache: Path, encoder: object) -> tuple[Path, Path]:
    """A folder for a service, and the cache with the encoder that was exported before."""
    return tmp_path / "service", cache


def test_a_killed_service_has_lost_nothing_from_sqlite(home: tuple[Path, Path]) -> None:
    service = Served(*home, _SETTINGS.format(url=""))
    crowd, missing, path = Crowd(service.url), 0, home[0] / "events.sqlite"
    try:
        for round_ in range(ROUNDS):
            under_load(service, crowd, round_, lambda: service.stop(signal.SIGKILL))
            with closing(sqlite3.connect(path)) as db:
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            with closing(SqliteEventStore(path)) as store:
                missing = max(missing, lost(store, crowd))
    finally:
        service.close()
    note("sqlite", crowd, missing, {"killed": {"service": ROUNDS}})
    assert (missing, crowd.strange) == (0, [])


def test_a_killed_service_or_server_has_lost_nothing_from_postgresql(
    home: tuple[Path, Path], server: PostgresServer
) -> None:
    url = server.migrated()
    service = Served(*home, _SETTINGS.format(url=url))
    crowd, missing, killed = Crowd(service.url), 0, {"service": 0, "server": 0}
    try:
        for round_ in range(ROUNDS):
            what, whom = ("service", service) if round_ % 2 else ("server", server)
            killed[what] += 1
            under_load(service, crowd, round_, lambda whom=whom: whom.stop(signal.SIGKILL))
            if whom is server:
                server.start()
                within(20.0, lambda: answers(service))  # without being started again itself
            with closing(Database(url)) as database, closing(PostgresEventStore(database)) as store:
                missing = max(missing, lost(store, crowd))
    finally:
        service.close()
    note("postgres", crowd, missing, {"killed": killed})
    assert (missing, crowd.strange) == (0, [])


def under_load(service: Served, crowd: Crowd, round_: int, kill: Any) -> None:
    """`kill` at a moment that only the seed knows, while people search and click."""
    if not service.runs:
        service.start()
        service.wait()
    if not round_:
        items = [ItemBody.of(item).model_dump(mode="json", exclude_none=True) for item in ITEMS]
        assert service.http.put("/v1/items", json=items).json()["stored"] == len(ITEMS)
    with crowd.at_work():
        crowd.wait_for(5)
        time.sleep(random.Random(f"{SEED} {round_}").uniform(0.0, 0.4))
        kill()


def answers(service: Served) -> bool:
    return service.http.post("/v1/search", json={"query": "lover"}).status_code == 200


def note(store: str, crowd: Crowd, missing: int, more: dict[str, Any]) -> None:
    """Add the figures of a long run to the file, if there is one."""
    if not RESULTS:
        return
    path = Path(RESULTS)
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    runs = known.get("runs", {}) | {
        store: {"rounds": ROUNDS, "acknowledged": crowd.acknowledged, "refused": crowd.refused, "lost": missing, **more}
    }
    figures = {f"crash.{name}.{key}": run[key] for name, run in runs.items() for key in ("rounds", "acknowledged")}
    figures["crash.lost"] = sum(run["lost"] for run in runs.values())
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    when = datetime.now(UTC).date().isoformat()
    path.write_text(json.dumps({"figures": figures, "runs": runs, "machine": machine, "date": when}, indent=1) + "\n")

"""Exactly one process leads, whatever its claim is written on; when it dies, another takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from postgres_server import PostgresServer, opened

from feedback.leader import FileLeader, Leader
from feedback.postgres.database import Database
from feedback.postgres.leader import PostgresLeader

ROOT = Path(__file__).parents[2]
_LEAD = """
import sys, time
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from feedback.leader import FileLeader
from feedback.postgres.database import Database
from feedback.postgres.leader import PostgresLeader
where = sys.argv[2]
leader = PostgresLeader(Database(where)) if "://" in where else FileLeader(Path(where))
sys.stdout.write("waits\\n")
sys.stdout.flush()
while not leader.lead():
    time.sleep(0.05)
sys.stdout.write("leads\\n")
sys.stdout.flush()
while leader.leads():
    time.sleep(0.05)
"""


@pytest.fixture(params=("file", "postgres"))
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What a claim is written on."""
    if request.param == "file":
        return str(tmp_path / "data" / "learner.lock")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.emptied()


@pytest.fixture
def claim(where: str) -> Iterator[Callable[[], Leader]]:
    """Makes as many claims as asked."""
    closers: list[Callable[[], None]] = []

    def make() -> Leader:
        if "://" not in where:
            made: Leader = FileLeader(Path(where))
        else:
            database = Database(where)
            closers.append(database.close)
            made = PostgresLeader(database)
        closers.insert(0, made.close)
        return made

    yield make
    for close in closers:
        close()


def test_one_leads_until_it_gives_up(claim: Callable[[], Leader]) -> None:
    first, second = claim(), claim()
    assert (first.lead(), second.lead()) == (True, False)
    assert (first.leads(), second.leads()) == (True, False)
    first.close()
    assert (first.leads(), second.lead(), second.leads()) == (False, True, True)


def test_of_three_processes_one_leads_and_another_takes_over_when_it_is_killed(where: str) -> None:
    command = [sys.executable, "-c", _LEAD, str(ROOT), where]
    ended: list[subprocess.Popen[str]] = []
    waiting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        for each in waiting:
            assert each.stdout is not None
            assert each.stdout.readline() == "waits\n"
            os.set_blocking(each.stdout.fileno(), False)
        while waiting:
            leading = _that_leads(waiting)
            time.sleep(0.3)
            assert [each for each in waiting if _said(each)] == []  # nobody else says so meanwhile
            leading.send_signal(signal.SIGKILL)
            leading.wait()
            waiting.remove(leading)
            ended.append(leading)
    finally:
        for each in (*waiting, *ended):
            each.kill()
            each.communicate()


def _that_leads(waiting: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for each in waiting:
            if _said(each) == "leads\n":
                return each
        time.sleep(0.02)
    raise AssertionError("nobody leads")


def _said(process: subprocess.Popen[str]) -> str | None:
    assert process.stdout is not None
    return process.stdout.readline() or None


def test_who_loses_its_session_leads_no_more(postgres: PostgresServer) -> None:
    open_one, close = opened(postgres)
    first, second = PostgresLeader(open_one()), PostgresLeader(open_one())
    assert first.lead()
    with closing(psycopg.connect(postgres.emptied(), autocommit=True)) as killer:
        killer.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    assert not first.leads()
    assert second.lead()
    assert not first.lead()
    for leader in (first, second):
        leader.close()
    close()

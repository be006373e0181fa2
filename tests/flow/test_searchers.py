"""Searches answered by a process beside the service, which may be changed, end, or hang, and nobody notices."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from http_words import event, refused, search
from real_server import Load, Server
from waiting import until

CONFIG = """
[service]
learner = false
drain_s = 1.0
reload_s = 0.1
processes = 2
[logging]
format = "json"
level = "info"
"""
TURNS = 12  # searches one after the other, of which a process cannot have had all by chance


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("searched"), cache, CONFIG).wait()
    yield made
    made.close()


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        until(lambda: figure(client, "bowerbird_searchers") == 1)
        yield client


def figure(http: httpx.Client, name: str) -> float:
    """Of /metrics; 0 where it is not there yet."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", http.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def beside(http: httpx.Client) -> float:
    """Searches that the other process has answered so far."""
    return figure(http, 'bowerbird_stage_seconds_count{stage="transfer"}')


def searchers(pid: int) -> list[int]:
    """The processes that answer beside this one (Linux)."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def all_gone(pids: list[int]) -> bool:
    return not any(map(alive, pids))


def test_both_answer_and_what_either_has_shown_takes_feedback(server: Server, http: httpx.Client) -> None:
    asked, others = figure(http, "bowerbird_search_seconds_count"), beside(http)
    load = Load(server.url)
    with load.running(visitors=12):
        load.goes_on(60)
    assert load.failed == []
    assert len(load.clicked) >= 60
    asked, others = figure(http, "bowerbird_search_seconds_count") - asked, beside(http) - others
    assert 0 < others < asked


def test_either_shows_the_same(server: Server, http: httpx.Client) -> None:
    before = beside(http)
    one, other = (search(http, "love", preview=True, plan="lexical", explain=True, facets=["type"]) for _ in range(2))
    assert beside(http) == before + 2
    os.kill(searchers(server.process.pid)[0], signal.SIGKILL)
    until(lambda: figure(http, "bowerbird_searchers") == 0)
    here = search(http, "love", preview=True, plan="lexical", explain=True, facets=["type"])
    assert beside(http) == before + 2
    assert here["hits"]
    for shown in (one, other):
        assert shown.keys() == here.keys()
        for part in ("hits", "facets", "plan", "ranker", "policy", "candidates", "logged"):
            assert shown[part] == here[part], part


def test_a_change_shows_in_both_once_it_is_acknowledged(http: httpx.Client) -> None:
    item = {"id": "new", "type": "track", "fields": {"title": "zyzzyva"}}
    before = beside(http)
    for _ in range(TURNS):
        http.put("/v1/items", json=item).raise_for_status()
        # Not always the first: some plans that may be drawn ask for what is popular, too.
        assert "new" in [hit["id"] for hit in search(http, "zyzzyva")["hits"]]
        http.delete("/v1/items/new").raise_for_status()
        assert "new" not in [hit["id"] for hit in search(http, "zyzzyva")["hits"]]
    assert beside(http) > before


def test_what_is_wrong_is_refused_as_ever(http: httpx.Client) -> None:
    for _ in range(TURNS):
        wrong = http.post("/v1/search", json={"query": "love", "preview": True, "plan": "none"})
        refused(wrong, 422, "unknown_plan")
    assert figure(http, "bowerbird_searchers") == 1


def test_who_searches_does_not_notice_that_it_is_killed(server: Server, http: httpx.Client) -> None:
    load = Load(server.url)
    with load.running():
        load.goes_on(8)
        os.kill(searchers(server.process.pid)[0], signal.SIGKILL)
        load.goes_on(8)
        until(lambda: figure(http, "bowerbird_searchers") == 1)
        load.goes_on(8)
    assert load.failed == []
    server.heard("a searcher ended with status -9")


def test_one_that_hangs_is_ended_and_its_search_answered(server: Server, http: httpx.Client) -> None:
    hangs = searchers(server.process.pid)[0]
    os.kill(hangs, signal.SIGSTOP)
    assert search(http, "love")["hits"]
    server.heard("a searcher has not answered")
    until(lambda: not alive(hangs))
    assert search(http, "love")["hits"]


def test_it_searches_by_a_changed_configuration(server: Server, http: httpx.Client) -> None:
    before = searchers(server.process.pid)
    load = Load(server.url)
    with load.running():
        load.goes_on(4)
        server.configure(CONFIG + "[retrieval]\ndeadline_ms = 321.0\n")
        server.heard("is in force")
        load.goes_on(4)
        until(lambda: figure(http, "bowerbird_searchers") == 1 and searchers(server.process.pid) != before)
        load.goes_on(4)
    assert load.failed == []


def test_it_ends_with_the_service(tmp_path: Path, cache: Path) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        folder = tmp_path / how.name
        folder.mkdir()
        server = Server(folder, cache, CONFIG).wait()
        try:
            with httpx.Client(base_url=server.url) as http:
                until(lambda: figure(http, "bowerbird_searchers") == 1)
                answered = search(http, "love")
                assert http.post("/v1/events", json=event(answered, answered["hits"][0]["id"])).status_code == 200
            own = searchers(server.process.pid)
            server.signal(how)
            server.process.wait(timeout=30)
            until(partial(all_gone, own))
        finally:
            server.close()
        assert '"level":"error"' not in server.log

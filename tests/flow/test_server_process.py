"""The server as a process: how it stops, takes over a changed configuration, and lives with a full disk."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from http_words import event, refused, search
from real_server import Load, Server
from waiting import until

from app.learning.learner_state import LearnerState, write_state
from app.operating.operations_diagnosis import operations
from app.settings import load_settings
from core.types import QueryId
from feedback.sqlite_store import SqliteEventStore

CONFIG = """
[service]
learner = false
drain_s = 1.0
reload_s = 0.1
[logging]
format = "json"
level = "info"
"""


SEARCH = (
    b"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
    b'{"query":"love"}'
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("served"), cache, CONFIG).wait()
    yield made
    made.close()


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def listens(server: Server) -> bool:
    try:
        connected(server).close()
    except ConnectionRefusedError:
        return False
    return True


def test_every_line_of_a_request_has_its_id_and_no_query_text(server: Server, http: httpx.Client) -> None:
    answered = http.post("/v1/search", json={"query": "secret wish"}, headers={"X-Request-Id": "mine-1"})
    assert answered.headers["X-Request-Id"] == "mine-1"
    http.get("/v1/memory", params={"query": "secret wish"}, headers={"Authorization": "Bearer hush-hush"})
    server.heard("/v1/memory")
    line = next(line for line in server.lines() if line.get("request_id") == "mine-1")
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/search", 200)
    assert line["query_id"] == answered.json()["query_id"]
    assert line["took_ms"] > 0
    assert "secret wish" not in server.log
    assert "hush-hush" not in server.log


def test_a_changed_configuration_is_in_force_without_a_failed_request(server: Server, http: httpx.Client) -> None:
    before = http.get("/healthz").json()["config"]
    load = Load(server.url)
    with load.running():
        for n in range(6):
            own = f"[limits]\npage_size = {20 + n}\n[retrieval]\ndeadline_ms = {400.0 + n}\n"
            server.configure(CONFIG + own)
            server.heard("is in force", count=n + 1)
            load.goes_on(4)
        server.signal(signal.SIGHUP)
        load.goes_on(4)
    assert load.failed == []
    refused(http.post("/v1/search", json={"query": "love", "size": 26}), 422, "too_large_size")
    assert search(http, "love", size=25)["hits"]
    health = http.get("/healthz").json()
    assert health["config"] != before
    assert health["needs_restart"] == []


def test_a_wrong_configuration_is_refused_in_a_sentence_and_changes_nothing(server: Server, http: httpx.Client) -> None:
    before = http.get("/healthz").json()["config"]
    for wrong, sentence in (
        ("[limits]\npage_sise = 5\n", "Did you mean 'limits.page_size'?"),
        ("[retrieval]\ndeadline_ms = -1.0\n", "retrieval.deadline_ms = -1.0"),
        ("[retrieval]\narm_deadline_ms = { lexicl = 10.0 }\n", "Unknown arm in retrieval.arm_deadline_ms 'lexicl'"),
        ('[retrieval]\ndefault_plan = "alll"\n', "Unknown default plan 'alll'. Did you mean 'all'?"),
        ('[ranking]\njudgments = "nowhere.csv"\n', "ranking.judgments = 'nowhere.csv': Cannot read nowhere.csv"),
        ('[neural]\nmodel = "nowhere"\n', "neural.model = 'nowhere': it is no folder with a config.json"),
        ("[limits\n", "is not TOML"),
    ):
        server.configure(CONFIG + wrong)
        server.heard(sentence)
        assert http.get("/healthz").json()["config"] == before
        assert search(http, "love")["hits"]


def test_what_needs_a_start_is_named_and_waits_for_it(server: Server, http: httpx.Client) -> None:
    server.configure(CONFIG + '[lexical]\nlanguage = "german"\n[limits]\npage_size = 7\n')
    server.heard("these take effect at the next start: lexical.language")
    assert http.get("/healthz").json()["needs_restart"] == ["lexical.language"]
    refused(http.post("/v1/search", json={"query": "love", "size": 8}), 422, "too_large_size")
    server.configure(CONFIG)
    server.heard("is in force", count=8)


def test_with_a_full_disk_search_answers_and_events_are_refused(server: Server, http: httpx.Client) -> None:
    logged = search(http, "love")
    assert logged["logged"]
    # No file of the process may grow any more: to SQLite that is a full disk.
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        for _ in range(3):
            answer = search(http, "love")
            assert answer["hits"]
            assert answer["logged"] is False
        refused(http.post("/v1/events", json=event(logged, logged["hits"][0]["id"])), 503, "events_not_stored")
        assert "bowerbird_unlogged_searches_total 3.0" in http.get("/metrics").text
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
    assert search(http, "love")["logged"]
    assert http.post("/v1/events", json=event(logged, logged["hits"][0]["id"])).status_code == 200


def test_sigterm_is_not_ready_first_then_finishes_what_is_on_its_way(tmp_path: Path, cache: Path) -> None:
    server = Server(tmp_path, cache, CONFIG).wait()
    load = Load(server.url)
    try:
        with load.running():
            load.goes_on(8)
            server.signal(signal.SIGTERM)
            until(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
            refused(httpx.get(f"{server.url}/readyz"), 503, "stopping")
            assert httpx.get(f"{server.url}/livez").status_code == 200
            load.goes_on(4)
        # Whoever looked at /readyz is gone. One request is on its way while the door closes, one is not even begun.
        with connected(server) as half, connected(server) as idle:
            half.sendall(SEARCH[:-5])
            until(lambda: not listens(server))
            idle.sendall(SEARCH)
            assert idle.recv(100).startswith(b"HTTP/1.1 200")
            half.sendall(SEARCH[-5:])
            assert half.recv(100).startswith(b"HTTP/1.1 200")
        assert server.process.wait(timeout=30) == 0
    finally:
        server.close()
    assert load.failed == []
    store = SqliteEventStore(tmp_path / "events.sqlite")
    found = store.feedback([QueryId(query_id) for query_id in load.clicked])
    store.close()
    assert len(load.clicked) > 5
    assert set(found) == set(load.clicked)
    assert not os.path.exists(tmp_path / "events.sqlite-wal")  # noqa: PTH110  # it was closed, not cut off


def test_while_it_stops_a_kept_connection_is_asked_to_close(tmp_path: Path, cache: Path) -> None:
    server = Server(tmp_path, cache, CONFIG.replace("drain_s = 1.0", "drain_s = 20.0")).wait()
    try:
        with httpx.Client(base_url=server.url) as http:
            assert "Connection" not in http.get("/livez").headers
            server.signal(signal.SIGTERM)
            until(lambda: http.get("/livez").headers.get("Connection") == "close")
    finally:
        server.close()


def test_ctrl_c_ends_the_service_and_the_service_its_learner(tmp_path: Path, cache: Path) -> None:
    """And not both at once: a learner that ends of itself looks like one that failed."""
    server = Server(tmp_path, cache, CONFIG.replace("learner = false", "learner = true")).wait()
    try:
        server.ctrl_c()
        server.process.wait(timeout=30)
    finally:
        server.close()
    assert [line for line in server.lines() if line["level"] == "error"] == []


def test_memory_is_flat_once_it_is_warm(server: Server) -> None:
    """A short one; `make bench-operations` goes on for longer."""
    load = Load(server.url)
    with load.running():
        load.goes_on(100)
        warm = server.resident_bytes()
        load.goes_on(200)
        assert server.resident_bytes() < 1.05 * warm
    assert load.failed == []


def test_doctor_sees_the_running_service_and_what_it_misses(server: Server) -> None:
    def findings(endpoint: str = "") -> dict[str, tuple[str, str]]:
        own = load_settings(
            server.config,
            overrides={
                "service": {"data_dir": str(server.folder), "port": server.port},
                "tracing": {"endpoint": endpoint},
            },
        )
        return {found.part: (found.state, found.message) for found in operations(own)}

    found = findings()
    assert found.pop("indexes")[0] in {"ok", "waits"}  # they are saved when nothing has changed for a while
    assert {part: state for part, (state, _) in found.items()} == {
        "disk": "ok", "deadlines": "ok", "service": "ok", "learner": "waits", "tracing": "ok", "retention": "ok",
    }  # fmt: skip
    assert "it runs, with 6 items" in found["service"][1]
    write_state(server.folder, LearnerState(time.time() - 1_000, 12, {}))
    assert findings()["learner"][0] == "broken"
    state, message = findings("http://127.0.0.1:9/v1/traces")["tracing"]
    assert state == "broken"
    assert "does not answer" in message

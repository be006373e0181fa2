"""An arm that hangs for ever, as a client and an operator see it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import uvicorn
from faulty_arm import Fault, Faults
from http_words import event, search
from small_service import prepared

from app.web.api import create_app
from app.wiring.service import build_service

DEADLINE_MS = 250.0


def test_a_hanging_arm_from_the_first_late_answer_to_its_return(
    tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> None:
    faults = Faults()
    settings = prepared(
        tmp_path_factory,
        cache,
        retrieval={"deadline_ms": 5_000.0, "arm_deadline_ms": {"vector": DEADLINE_MS}},
        degradation={"request_ms": 20_000.0, "failures": 3, "open_s": 1.0},
    )
    application = create_app(lambda: build_service(settings, changed_arms=faults.changed), settings)
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}") as http:
            while http.get("/readyz").status_code != 200:
                time.sleep(0.05)
            _hangs(http, faults)
            _returns(http, faults)
            faults.only(["vector"], Fault.HANGING)
            assert search(http, "love")["degraded"]
    finally:
        began = time.monotonic()
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()  # nobody waits for who hangs
    assert time.monotonic() - began < 10
    faults.let_go()


def _hangs(http: httpx.Client, faults: Faults) -> None:
    faults.only(["vector"], Fault.HANGING)
    began = time.monotonic()
    late = search(http, "love")
    assert time.monotonic() - began < DEADLINE_MS / 1000 + 2.0
    assert late["degraded"]
    assert late["hits"]
    assert late["arms"]["vector"]["status"] == "timeout"
    assert {late["arms"][arm]["status"] for arm in ("lexical", "memory")} == {"ok"}
    with ThreadPoolExecutor(20) as pool:  # more at once than the arm has threads
        answers = list(pool.map(lambda _: search(http, "love"), range(40)))
    assert all(answer["hits"] for answer in answers)
    assert search(http, "love")["arms"]["vector"]["status"] == "skipped"
    health = http.get("/healthz").json()
    assert health["status"] == "degraded"
    assert health["arms"]["vector"]["circuit"] == "open"
    assert health["arms"]["vector"]["stuck"] >= 3
    assert health["arms"]["lexical"] == {"circuit": "closed", "stuck": 0}
    text = http.get("/metrics").text
    assert 'bowerbird_arm_circuit_open{arm="vector"} 1.0' in text
    assert 'bowerbird_arm_total{arm="vector",status="timeout"}' in text
    assert 'bowerbird_arm_total{arm="vector",status="skipped"}' in text
    assert http.post("/v1/events", json=event(late, late["hits"][0]["id"])).status_code == 200


def _returns(http: httpx.Client, faults: Faults) -> None:
    faults.only([], Fault.NONE)
    faults.let_go()
    until = time.monotonic() + 20
    while search(http, "love")["arms"]["vector"]["status"] != "ok":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert not search(http, "love")["degraded"]
    assert http.get("/healthz").json()["status"] == "ok"
    faults.hang_again()

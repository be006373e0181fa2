"""The generators of load of `make bench-serve`, against a real service."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from http_service import Running

from benchmarks.serve.drive import Drive, Pace, Sample, summary
from benchmarks.serve.events import BATCH, event_load, shown_items
from benchmarks.serve.load import repeated, search_load
from benchmarks.serve.stages import between, snapshot

TEXTS = [f"taylor swift {n}" for n in range(60)]


def test_each_text_is_asked_once_and_logged(running: Running) -> None:
    url, service = running
    before = service().store.counts()["impressions"]
    found = search_load(url, TEXTS[:20], Pace(connections=4, seconds=30))
    assert (found["answered"], found["errors"], found["unlogged"], found["degraded"]) == (20, 0, 0, 0)
    assert service().store.counts()["impressions"] == before + 20
    # Nothing has been learned here, and the load says so.
    assert found["learned_policy"] == found["learned_ranker"] == 0
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_a_fixed_rate_is_kept_and_its_beginning_does_not_count(running: Running) -> None:
    found = search_load(running[0], TEXTS, Pace(connections=4, seconds=2, rate=20, warm_s=1))
    assert (found["asked"], found["answered"], found["errors"]) == (40, 20, 0)


def test_it_runs_as_a_process_of_its_own(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "texts"
    file.write_text("\n".join(TEXTS[:5]))
    options = ["--url", running[0], "--queries", str(file), "--seconds", "30", "--warm", "0", "--connections", "2"]
    done = subprocess.run([sys.executable, "-m", "benchmarks.serve.load", *options], capture_output=True, check=True)
    assert json.loads(done.stdout)["answered"] == 5


def test_events_are_distinct_and_all_stored(running: Running) -> None:
    url, service = running
    shown = shown_items(url, TEXTS[:3])
    before = service().store.counts()["feedback"]
    found = event_load(url, shown, Pace(connections=2, seconds=0.5))
    assert found["errors"] == 0
    assert service().store.counts()["feedback"] - before == found["acknowledged"] >= BATCH


def test_refusals_and_a_closed_door_are_errors(running: Running) -> None:
    refused = search_load(running[0], ["x" * 10_000], Pace(connections=1, seconds=30))
    assert (refused["answered"], refused["errors"]) == (0, 1)
    assert refused["wrong"][0].startswith("422 ")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nobody = search_load(f"http://127.0.0.1:{port}", TEXTS[:3], Pace(connections=1, seconds=5))
    assert (nobody["answered"], nobody["errors"]) == (0, 3)


def test_stages_are_those_of_the_searches_between(running: Running) -> None:
    url = running[0]
    before = snapshot(httpx.get(f"{url}/metrics").text)
    search_load(url, TEXTS[:10], Pace(connections=1, seconds=30))
    found = between(before, snapshot(httpx.get(f"{url}/metrics").text))
    stages = [name for name in found if name != "search" and not name.startswith("arm ")]
    assert {"parse", "choose", "arms", "union", "features", "rank", "log", "serialise"} <= set(stages)
    assert found["search"]["calls"] == found["rank"]["calls"] == 10
    assert sum(found[name]["mean_ms"] for name in stages) == pytest.approx(found["search"]["mean_ms"], rel=0.05)


def test_a_late_answer_is_late_since_it_was_due() -> None:
    pace = Pace(connections=1, seconds=3, rate=1, warm_s=1)
    samples = [Sample(0.0, 9.0), Sample(1.0, 1.5), Sample(2.0, 2.1), Sample(2.0, 2.3)]
    found = summary(samples, pace)
    assert found["p50_ms"] == pytest.approx(300)
    assert found["max_ms"] == pytest.approx(500)


def test_what_was_due_and_never_sent_is_an_error() -> None:
    found = summary([Sample(0.0, 0.1), Sample(1.0, 1.1)], Pace(connections=1, seconds=5, rate=1))
    assert (found["unsent"], found["errors"]) == (3, 3)


def test_a_server_that_never_keeps_up_is_left_after_twice_the_time(running: Running) -> None:
    drive = Drive(running[0], "/v1/search", Pace(1, 0.2, rate=100_000), lambda _: b'{"query": "one"}', lambda *_: "")
    samples = drive.run()
    assert samples[-1].ended < 2.0
    assert summary(samples, drive.pace)["unsent"] > 0


def test_four_of_five_searches_ask_one_of_a_hundred_texts() -> None:
    texts = [str(n) for n in range(1_100)]
    asked = list(repeated(texts, 0.8, 1))
    again = [text for text in asked if int(text) < 100]
    assert len(again) / len(asked) == pytest.approx(0.8, abs=0.03)
    assert [text for text in asked if int(text) >= 100] == texts[100:]

"""A data directory that has learned: a large catalogue, three or more arms in every plan, a policy and a ranker."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.catalogue import SyntheticItems, title_queries
from benchmarks.data_directory import fill
from benchmarks.loop import ROOT
from benchmarks.serve.server import CONFIG, started, verb

SEED = 1
PLANS = 3  # arms of the smallest plan
WINDOW_S = 5.0
# The window is short so that the learner keeps working while the service is measured, on as many searches a second as
# come in, which is what it has to do all day.
_CONFIG = """
[service]
learner = true
processes = {processes}

[retrieval.plans]
all = {{ lexical = 100, vector = 100, memory = 50 }}
narrow = {{ lexical = 50, vector = 50, memory = 20 }}
sparse = {{ lexical = 100, vector = 100, sparse = 100 }}
structured = {{ lexical = 100, structured = 50, vector = 100 }}
popular = {{ lexical = 100, vector = 100, memory = 50, popular = 20 }}
wide = {{ lexical = 100, structured = 50, vector = 100, sparse = 100, memory = 50 }}

[policy]
min_clicked = 100

[ranking]
min_clicked = 200
retrain_every = 200

[feedback]
window_s = {window_s}
"""
# As many processes search as there are processors, where their indexes are to be had twice: not in 6 GiB for a million.
_PROCESSES, _TWICE_UP_TO = 2, 100_000
_ROUND, _ROUNDS = 400, 10


def prepare(folder: Path, count: int, port: int) -> dict[str, Any]:
    """Fill, start, search and click until both have been learned. RuntimeError when they are not."""
    began = time.perf_counter()
    items = SyntheticItems(count, SEED)
    folder.mkdir(parents=True, exist_ok=True)
    fill(folder, items)
    # One learner at a time: while clicks are collected, it is called by hand.
    processes = _PROCESSES if count <= _TWICE_UP_TO else 1
    config = _CONFIG.format(processes=processes, window_s=WINDOW_S)
    (folder / CONFIG).write_text(config.replace("learner = true", "learner = false"))
    filled_s = time.perf_counter() - began
    with started(folder, port) as server:
        ready_s = time.perf_counter() - began - filled_s
        learned = _learn(folder, server.url, title_queries(items, _ROUND * _ROUNDS, 11))
    (folder / CONFIG).write_text(config)
    return {"processes": processes, "fill_s": filled_s, "first_start_s": ready_s, **learned}


def queries(count: int, wanted: int, seed: int) -> list[str]:
    """Different texts, of which preparing has asked none."""
    items = SyntheticItems(count, SEED)
    known = set(title_queries(items, _ROUND * _ROUNDS, 11))
    made = dict.fromkeys(title_queries(items, wanted + wanted // 4, seed))
    return [text for text in made if text not in known][:wanted]


def _learn(folder: Path, url: str, texts: Sequence[str]) -> dict[str, Any]:
    clicks = 0
    with httpx.Client(base_url=url, timeout=60) as http:
        for n in range(_ROUNDS):
            clicks += _click(http, texts[n * _ROUND : (n + 1) * _ROUND])
            time.sleep(WINDOW_S + 0.5)
            subprocess.run(verb(folder, "learn", "--once", "--json"), cwd=ROOT, stdout=subprocess.PIPE, check=True)
            time.sleep(2.0)  # the service looks for new releases twice a second
            found = _answered(http, {"query": texts[0], "preview": True})
            if found["policy"].startswith("coverage-") and found["ranker"].startswith("lambdamart-"):
                served = {name: found[name] for name in ("policy", "ranker", "release")}
                return {"searches": (n + 1) * _ROUND, "clicks": clicks, **served}
    raise RuntimeError(f"not learned after {clicks} clicks: policy {found['policy']}, ranker {found['ranker']}")


def _click(http: httpx.Client, texts: Sequence[str]) -> int:
    """One click a search, on the first hit that holds all its words."""
    clicks = 0
    for n, text in enumerate(texts):
        found = _answered(http, {"query": text, "client_id": f"people-{n}", "session_id": f"people-{n}"})
        for hit in found["hits"]:
            if set(text.split()) <= set(hit["fields"]["title"].split()):
                http.post("/v1/events", json=_event(found["query_id"], hit, f"people-{n}")).raise_for_status()
                clicks += 1
                break
    return clicks


def _answered(http: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = http.post("/v1/search", json=body).raise_for_status().json()
    return answer


def _event(query_id: str, hit: dict[str, Any], client: str) -> dict[str, Any]:
    told = {"object": {"object_id": hit["id"]}, "position": {"ordinal": hit["position"]}}
    return {"action_name": "click", "query_id": query_id, "client_id": client, "event_attributes": told}

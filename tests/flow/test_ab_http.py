"""Two policies, each with clients of its own: a client keeps its variant, and the rewards are compared."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from http_words import event, search
from small_service import prepared

from app.service import Service
from app.settings import Settings

EXPERIMENT = {"kind": "ab", "name": "explore-all", "second": "policy:uniform", "share": 0.5}
CLIENTS = [f"client-{n}" for n in range(90)]
OWN = """
[feedback]
window_s = 1.0
[experiment]
kind = "ab"
name = "explore-all"
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache, experiment=EXPERIMENT)


def test_ab_is_sticky_and_its_propensities_are_exact(
    http: httpx.Client, running: tuple[str, Callable[[], Service]], settings: Settings
) -> None:
    for _ in range(3):
        for client in CLIENTS:
            answer = search(http, "love", client_id=client)
            if answer["experiment"] == "explore-all:second":  # only they find what they want
                http.post("/v1/events", json=event(answer, answer["hits"][0]["id"], client_id=client))
    rows = [row.impression for row in running[1]().store.impressions(after=0, limit=1_000)]
    variants = {client: {row.experiment for row in rows if row.query.client_id == client} for client in CLIENTS}
    assert all(len(found) == 1 for found in variants.values())
    assert set.union(*variants.values()) == {"explore-all:first", "explore-all:second"}
    for row in rows:
        second = row.experiment == "explore-all:second"
        assert row.choice.policy.startswith("uniform" if second else "warmup")
        assert row.choice.propensity == (1 / len(settings.retrieval.plans) if second else 1.0)


def test_the_command_line_tells_means_difference_and_verdict(settings: Settings, tmp_path: Path) -> None:
    time.sleep(settings.feedback.window_s + 0.1)
    (tmp_path / "own.toml").write_text(OWN)
    options = ["--config", str(tmp_path / "own.toml"), "--data-dir", settings.service.data_dir]
    command = [sys.executable, "-m", "app.cli", *options, "evaluate", "experiment", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    result = report["ab"]
    assert report["interleaving"] is None
    assert result["clients_first"] + result["clients_second"] == len(CLIENTS)
    assert result["searches_first"] == 3 * result["clients_first"]
    assert (result["mean_first"], result["mean_second"], result["difference"]) == (0.0, 1.0, 1.0)
    assert result["verdict"] == "second is better"

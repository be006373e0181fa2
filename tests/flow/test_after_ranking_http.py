"""A service with a neural stage and diversity, configured as people do it, over HTTP and on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from http_words import search
from small_service import prepared
from tiny_cross_encoder import save_tiny_cross_encoder

from app.service import Service
from app.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    # Weight 0: it knows the moon and the sun, and should not decide about love.
    model = save_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")
    return prepared(
        tmp_path_factory, cache,
        neural={"model": str(model), "weight": 0.0, "deadline_ms": 30_000.0},
        diversity={"page": 2, "limit": {"type": 1}},
    )  # fmt: skip


def test_pages_keep_the_limit_and_continue(http: httpx.Client) -> None:
    whole = [hit["id"] for hit in search(http, "love", preview=True, plan="all", size=6)["hits"]]
    assert len(whole) == len(set(whole)) >= 4
    first, second = (
        search(http, "love", preview=True, plan="all", size=2, **{"from": start})["hits"] for start in (0, 2)
    )
    assert [hit["id"] for hit in first + second] == whole[:4]
    assert len({hit["type"] for hit in first}) == 2


def test_answer_and_row_say_what_was_read_and_moved(
    http: httpx.Client, running: tuple[str, Callable[[], Service]]
) -> None:
    answer = search(http, "love", size=6, explain=True)
    assert answer["neural"]["status"] == "ok"
    assert answer["neural"]["found"] == answer["neural"]["depth"] == answer["candidates"]
    assert " > tiny-" in answer["ranker"]
    told = [hit["explanation"] for hit in answer["hits"]]
    assert all("neural.score" in each["features"] for each in told)
    assert any(each.get("held_back", "").startswith("type = track: 1") for each in told)
    row = running[1]().store.impressions(after=0, limit=10_000)[-1].impression
    assert row.query.id == answer["query_id"]
    assert row.ranked == tuple(each["ranked"] for each in told)
    assert row.neural is not None
    assert 'bowerbird_neural_total{status="ok"}' in http.get("/metrics").text


def test_the_command_line_explains(settings: Settings, running: tuple[str, Callable[[], Service]]) -> None:
    command = [sys.executable, "-m", "app.cli", "--data-dir", settings.service.data_dir, "search", "love story"]
    command += ["--plan", "all", "--explain"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert "1. Love Story: score" in shown
    assert "lexical.rank" in shown
    found = json.loads(subprocess.run([*command, "--json"], capture_output=True, check=True, timeout=120).stdout)
    for hit in found["hits"]:
        parts = hit["explanation"]["features"].values()
        total = hit["explanation"]["base"] + sum(part["contribution"] for part in parts)
        assert total == pytest.approx(hit["score"])

"""Training by hand, on a log with an obvious truth: people click what is cheap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import click, impression
from small_service import prepared
from typer.testing import CliRunner

from app.cli import app as cli
from app.settings import load_settings
from app.wiring.arms import feature_schema
from app.wiring.service import build_service
from app.wiring.stores import open_registry, open_store
from core.episodes import EventId, Feedback
from core.types import Query, QueryId


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 closed searches with a click."""
    folder = tmp_path_factory.mktemp("shop")
    schema, random, store = feature_schema(), np.random.default_rng(1), open_store(load_settings(), folder)
    price = schema.names.index("item.price")
    for n in range(400):
        features = random.random((6, len(schema.names))).astype(np.float32)
        shown = [f"i{k}" for k in random.permutation(20)[:6]]
        store.append_impression(
            impression(
                f"q{n}", text=f"lamp {n % 20}", shown=shown, feature_names=schema.names, features=features,
                schema=schema.version, time=float(n), ranks={},
            )
        )  # fmt: skip
        best = int(np.argmax((features[:, price] < 0.4) * np.linspace(1, 0.5, 6)))
        event: Feedback = click(f"q{n}", shown[best], time=n + 1.0, event_id=str(EventId(f"e{n}")))
        assert event.query_id == QueryId(f"q{n}")
        store.append_feedback([event])
    store.close()
    return folder


def call(folder: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(cli, ["--data-dir", str(folder), *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_train_says_why_and_publishes(shop: Path) -> None:
    told = call(shop, "train", "ranker", "--no-publish")
    assert told["passed"]
    assert told["release"] is None
    assert told["reason"].startswith("Passed: debiased nDCG")
    assert call(shop, "train", "ranker")["release"] == 1
    release = open_registry(load_settings(), shop).current()
    assert release is not None
    assert release.notes["ranker"].startswith("Passed")
    assert set(release.components) == {"ranker"}


def test_a_search_writes_what_a_configuration_reads(shop: Path, tmp_path: Path) -> None:
    space, best = tmp_path / "space.toml", tmp_path / "new" / "best.toml"
    space.write_text("trees = [3, 30]\nmin_data_in_leaf = [5, 20]\n")
    found = call(shop, "train", "ranker", "--search", "3", "--space", str(space), "--out", str(best))
    assert len(found["trials"]) == 3
    tried = found["trials"][found["best"]]
    assert tried["ndcg"] == max(trial["ndcg"] for trial in found["trials"])
    result = CliRunner().invoke(cli, ["--config", str(best), "config"], catch_exceptions=False)
    assert f"trees = {tried['trees']}" in best.read_text()
    assert result.exit_code == 0


def test_where_people_look_is_printed_and_drawn(shop: Path, tmp_path: Path) -> None:
    picture = tmp_path / "curve.png"
    found = call(shop, "evaluate", "examination", "--png", str(picture))
    assert (found["searches"], found["clicked"], found["swapped"]) == (400, 400, 0)
    assert [row["position"] for row in found["positions"]] == list(range(1, 11))
    assert all(row["low"] <= row["estimated"] <= row["high"] for row in found["positions"])
    assert 0 < found["after_click"] <= 1
    assert picture.stat().st_size > 1_000
    arguments = ["--data-dir", str(shop), "evaluate", "examination", "--png", str(picture)]
    said = CliRunner().invoke(cli, arguments, catch_exceptions=False).output
    assert -1 < said.find("assumed") < said.find("is drawn in")  # the figures stay if the picture fails


def test_what_chance_does_to_pages_is_logged_by_the_service(
    tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> None:
    settings = prepared(tmp_path_factory, cache, ranking={"swap": 1.0, "sampled_negatives": 2})
    service = build_service(settings)
    try:
        service.start()
        page = service.search(Query(QueryId("a"), "love", 0.0), size=3)
        preview = service.search(Query(QueryId("b"), "love", 0.0), size=3, preview=True)
        (logged,) = service.store.impressions(after=0, limit=10)
    finally:
        service.close()
    told = logged.impression
    assert told.swapped in (1, 2)
    assert told.swap_propensity == 0.5
    assert told.shown == tuple(candidate.item.id for candidate in page.answer.candidates[:3])
    assert len(told.sampled.values) == min(2, len(page.answer.candidates) - 3)
    assert told.sampled.names == told.features.names
    assert preview.impression.swapped == 0

"""Two policies interleaved in one answer: clicks over HTTP count for the variant that drafted what was clicked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_words import event, search
from small_service import prepared

from app.jobs.experiment_report import report_experiment
from app.service import Service
from app.settings import Settings
from core.errors import NotFound

PLANS = {"words": {"lexical": 20}, "popular": {"popular": 20}}
# What the uniform policy draws is the query's own id's affair: half of the time it is the same plan.
EXPERIMENT = {
    "kind": "interleave", "name": "words-or-any", "first": "policy:fixed", "second": "policy:uniform", "share": 1.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Settings:
    return prepared(tmp_path_factory, cache, experiment=EXPERIMENT, retrieval={"default_plan": "words", "plans": PLANS})


def of_two_plans(http: httpx.Client) -> dict[str, Any]:
    """An interleaved answer whose variants drew different plans."""
    while "popular" not in (answer := search(http, "love", explain=True))["arms"]:
        pass
    return answer


def test_each_hit_comes_from_the_plan_of_its_team(http: httpx.Client) -> None:
    answer = of_two_plans(http)
    assert answer["experiment"] == "words-or-any:both"
    assert answer["plan"]["name"] == "words"
    arms = {hit["team"]: set(hit["arms"]) for hit in answer["hits"] if hit["team"]}
    assert arms == {1: {"lexical"}, 2: {"popular"}}


def test_clicks_give_credit_to_the_team_that_drafted(
    http: httpx.Client, running: tuple[str, Callable[[], Service]], settings: Settings
) -> None:
    clicked = 0
    for n in range(12):
        answer = of_two_plans(http)
        wanted = 2 if n < 9 else 1
        by_team = next(hit["id"] for hit in answer["hits"] if hit["team"] == wanted)
        clicked += http.post("/v1/events", json=event(answer, by_team)).json()["stored"]
    assert clicked == 12
    time.sleep(settings.feedback.window_s + 0.1)
    store = running[1]().store
    found = report_experiment(store, settings, "words-or-any", now=time.time())
    assert found["ab"] is None
    result = found["interleaving"]
    assert (result["wins_first"], result["wins_second"], result["ties"]) == (3, 9, 0)
    assert result["delta"] == pytest.approx(0.25)
    assert result["p_value"] == pytest.approx(2 * (1 + 12 + 66 + 220) / 2**12)
    assert result["verdict"] == "too few"
    assert all(row.impression.mixed for row in store.impressions(after=0, limit=1_000))
    with pytest.raises(NotFound, match="Did you mean 'words-or-any'"):
        report_experiment(store, settings, "word-or-any", now=time.time())

"""The dashboard asks for what /metrics has: every metric and label of every query, against a real scrape."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_words import event, search
from prometheus_client.parser import text_string_to_metric_families

from app.learning.learner_state import LearnerState, write_state
from app.settings import CONFIGS, Settings

DASHBOARD = CONFIGS / "grafana" / "dashboards" / "bowerbird.json"
FIGURES = {
    "value": 0.4, "value_low": 0.3, "value_high": 0.5, "logged_value": 0.35, "effective_sample_size": 900.0,
    "lowest_propensity": 0.004, "rows": 2000.0,
}  # fmt: skip


def expressions() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


@pytest.fixture
def scraped(http: httpx.Client, settings: Settings) -> dict[str, set[str]]:
    """Sample name -> its labels, after a search, an event, and a step of the learner."""
    answer = search(http, "love")
    assert http.post("/v1/events", json=event(answer, answer["hits"][0]["id"])).status_code == 200
    write_state(settings.data_dir, LearnerState(time.time() - 3.0, 12, FIGURES))
    families = text_string_to_metric_families(http.get("/metrics").text)
    found: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_query_names_what_is_there(scraped: dict[str, set[str]], expression: str) -> None:
    names = re.findall(r"bowerbird_\w+", expression)
    assert names
    assert set(names) <= set(scraped)
    by = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
    chosen = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression))
    assert by | chosen <= set().union(*(scraped[name] for name in names))


def test_every_metric_of_ours_is_on_the_dashboard_and_in_the_reference(scraped: dict[str, set[str]]) -> None:
    ours = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in scraped}
    asked = " ".join(expressions())
    assert {name for name in ours if name not in asked} <= {"bowerbird_neural_total"}
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "http.md").read_text()
    short = {"bowerbird_policy_value_low", "bowerbird_policy_value_high"}  # there as `_low`, `_high`
    assert {name for name in ours if name not in reference} <= short


def test_what_the_learner_says_of_itself_is_exported(scraped: dict[str, set[str]], http: httpx.Client) -> None:
    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(http.get("/metrics").text)
        for sample in family.samples
    }
    assert 3.0 <= samples["bowerbird_learner_lag_seconds"] < 60.0
    assert samples["bowerbird_policy_value"] == 0.4
    assert samples["bowerbird_policy_effective_sample_size"] == 900.0
    assert samples["bowerbird_lowest_propensity"] == 0.004
    assert samples["bowerbird_learner_episodes"] == 12.0


def test_stages_sum_to_the_search_and_all_are_there(http: httpx.Client) -> None:
    def sums() -> dict[str, float]:
        found: dict[str, Any] = {}
        for family in text_string_to_metric_families(http.get("/metrics").text):
            for sample in family.samples:
                if sample.name in {"bowerbird_stage_seconds_sum", "bowerbird_search_seconds_sum"}:
                    found[sample.labels.get("stage", "whole")] = sample.value
        return found

    search(http, "love")
    before = sums()
    search(http, "lover")
    took = {stage: value - before[stage] for stage, value in sums().items()}
    whole = took.pop("whole")
    assert set(took) == {
        "parse", "turn", "context", "choose", "arms", "union", "features", "rank", "after", "page", "serialise", "log",
    }  # fmt: skip
    assert sum(took.values()) == pytest.approx(whole, abs=0.002)
    assert all(value > 0 for value in took.values())


def test_the_dashboard_is_provisioned_where_compose_mounts_it() -> None:
    compose = (CONFIGS.parent / "docker-compose.yml").read_text()
    provider = (CONFIGS / "grafana" / "provisioning" / "dashboards" / "bowerbird.yml").read_text()
    path = re.search(r"path: (\S+)", provider)
    assert path
    assert f"./configs/grafana/dashboards:{path[1]}:ro" in compose
    source = (CONFIGS / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text()
    assert "http://prometheus:9090" in source
    assert not [line for line in re.findall(r'- "(\d[\d.:]*:\d+)"', compose) if not line.startswith("127.0.0.1:")]
    assert not re.findall(r"image: \S+:latest", compose)

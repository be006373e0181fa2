"""From releases to what serves: what cannot be read is done without."""

from __future__ import annotations

import logging
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from arms_with_items import Popular
from popularity_world import IDS, learner, model_of, searches
from words import item, query

from app.settings import load_settings
from app.wiring.models import Models
from app.wiring.plans import plan_library
from feedback.registry import FileRegistry


def test_a_component_that_cannot_be_read_is_served_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arm, registry, settings = Popular(), FileRegistry(tmp_path), load_settings()
    arm.apply([item(each, each) for each in IDS], [])
    models = Models(settings, registry, plan_library(settings), (), {"popularity": (arm.load,)})

    def best() -> str:
        return arm.retrieve(query(""), 1)[0].item_id

    learned = learner()
    learned.learn(searches(["i7"] * 20, day=0))
    before = best()
    registry.publish({"popularity": model_of(learned)})
    assert (models().release, best()) == (1, "i7")
    registry.publish({"popularity": b"of another version"})
    with caplog.at_level(logging.CRITICAL):
        assert models().release == 2
    assert best() == before != "i7"


def ranking_model(names: list[str]) -> bytes:
    """Trees that have seen a few numbers."""
    values = np.random.default_rng(1).random((50, len(names)))
    data = lightgbm.Dataset(values, label=values[:, 0], feature_name=names)
    return lightgbm.train({"verbosity": -1, "num_threads": 1}, data, num_boost_round=2).model_to_string().encode()


@pytest.mark.parametrize(
    ("variant", "policy", "ranker"),
    [
        ("served", "warmup-", "lambdamart-"),
        ("policy:fixed", "fixed-all-", "lambdamart-"),
        ("policy:uniform", "uniform-", "lambdamart-"),
        ("policy:coverage", "warmup-", "lambdamart-"),
        ("ranker:rrf", "warmup-", "rrf"),
        ("ranker:learned", "warmup-", "lambdamart-"),
    ],
)
def test_a_variant_differs_in_what_it_names_alone(tmp_path: Path, variant: str, policy: str, ranker: str) -> None:
    registry = FileRegistry(tmp_path)
    registry.publish({"ranker": ranking_model(["x", "y"])})
    settings = load_settings(overrides={"experiment": {"kind": "ab", "name": "try", "second": variant}})
    serving = Models(settings, registry, plan_library(settings), ("x", "y"), {})()
    assert serving.experiment is not None
    first, second = serving.experiment.first, serving.experiment.second
    assert (first.policy, first.ranker, first.release) == (serving.policy, serving.ranker, 1)
    assert second.policy.version.startswith(policy)
    assert second.ranker.version.startswith(ranker)


def test_without_an_experiment_there_is_none(tmp_path: Path) -> None:
    settings = load_settings()
    assert Models(settings, FileRegistry(tmp_path), plan_library(settings), (), {})().experiment is None

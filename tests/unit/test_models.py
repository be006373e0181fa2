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
from app.wiring.learning import build_learning
from app.wiring.models import Models
from app.wiring.plans import plan_library
from bandit.adf.learner import AdfLearner
from bandit.adf.policy import AdfModel, action_features
from bandit.coverage.learner import CoverageLearner
from bandit.coverage.policy import CoverageModel
from bandit.plans import PlanLibrary
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


def policy_model(kind: str, library: PlanLibrary) -> bytes:
    heads = len(library.heads)
    if kind == "vw_adf":
        weights = np.zeros((action_features(library).shape[1], 2))
        return AdfModel(library, ("x",), weights, gamma=1.0, floor=0.02, vw=b"").dump()
    offsets = np.zeros(len(library.plans))
    return CoverageModel(library, ("x",), np.zeros((heads + 1, 2)), offsets, np.ones(heads), 1.0, 0.02, 0.0).dump()


@pytest.mark.parametrize("kind", ["coverage", "vw_adf", "misguided"])
@pytest.mark.parametrize("stored", ["coverage", "vw_adf"])
def test_only_a_policy_of_the_configured_kind_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, stored: str
) -> None:
    settings, registry = load_settings(overrides={"policy": {"kind": kind}}), FileRegistry(tmp_path)
    library = plan_library(settings)
    registry.publish({"policy": policy_model(stored, library)})
    version = Models(settings, registry, library, (), {})().policy.version
    if (stored == "vw_adf") == (kind == "vw_adf"):
        assert version.startswith(f"{kind}-")
        assert not caplog.records
    else:
        assert version.startswith("warmup-")
        assert f"not of kind {kind}" in caplog.text


@pytest.mark.parametrize("kind", ["coverage", "vw_adf", "misguided"])
def test_a_damaged_policy_is_served_without(tmp_path: Path, kind: str) -> None:
    settings, registry = load_settings(overrides={"policy": {"kind": kind}}), FileRegistry(tmp_path)
    library = plan_library(settings)
    for stored in ("coverage", "vw_adf"):
        registry.publish({"policy": policy_model(stored, library)[:-30]})
        assert Models(settings, registry, library, (), {})().policy.version.startswith("warmup-")


@pytest.mark.parametrize(("kind", "learner"), [("coverage", CoverageLearner), ("vw_adf", AdfLearner)])
def test_what_is_configured_learns(tmp_path: Path, kind: str, learner: type) -> None:
    loop = build_learning(load_settings(overrides={"service": {"data_dir": str(tmp_path)}, "policy": {"kind": kind}}))
    assert [type(each) for each in loop._learners if each.component == "policy"] == [learner]
    loop.close()

"""From releases to what serves: what cannot be read is done without."""

from __future__ import annotations

import logging
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from arms_with_items import Popular
from builders import schema
from popularity_world import IDS, learner, model_of, searches
from words import item, query

from app.learning.ranker_trial import trial_name
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
from ranking.ltr import pack


def test_a_component_that_cannot_be_read_is_served_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arm, registry, settings = Popular(), FileRegistry(tmp_path), load_settings()
    arm.apply([item(each, each) for each in IDS], [])
    models = Models(settings, registry, plan_library(settings), schema(), {"popularity": (arm.load,)})

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
    trees = lightgbm.train({"verbosity": -1, "num_threads": 1}, data, num_boost_round=2)
    return pack(schema(*names), trees.model_to_string())


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
    serving = Models(settings, registry, plan_library(settings), schema("x", "y"), {})()
    assert serving.experiment is not None
    first, second = serving.experiment.first, serving.experiment.second
    assert (first.policy, first.ranker, first.release) == (serving.policy, serving.ranker, 1)
    assert second.policy.version.startswith(policy)
    assert second.ranker.version.startswith(ranker)


def test_a_ranker_is_read_again_when_it_is_another_one(tmp_path: Path) -> None:
    registry, settings = FileRegistry(tmp_path), load_settings()
    models = Models(settings, registry, plan_library(settings), schema("x", "y"), {})
    first = ranking_model(["x", "y"])
    registry.publish({"ranker": first})
    ranker = models().ranker
    registry.publish({"memory": b"of another component"})
    assert models().ranker is ranker
    registry.publish({"ranker": first + b"\n"})
    assert models().ranker.version != ranker.version
    registry.activate(1)
    assert models().ranker.version == ranker.version


def test_without_an_experiment_there_is_none(tmp_path: Path) -> None:
    settings = load_settings()
    assert Models(settings, FileRegistry(tmp_path), plan_library(settings), schema(), {})().experiment is None


def policy_model(kind: str, library: PlanLibrary) -> bytes:
    heads = len(library.heads)
    if kind == "vw_adf":
        weights = np.zeros((action_features(library).shape[1], 2))
        return AdfModel(library, ("x",), weights, gamma=1.0, floor=0.02, vw=b"").dump()
    corrections = np.zeros((len(library.plans), 2))
    weights, novelty = np.zeros((heads + 1, 2)), np.zeros((2, 2))
    return CoverageModel(library, ("x",), weights, corrections, np.ones(heads), 1.0, 0.02, 0.0, novelty).dump()


@pytest.mark.parametrize("kind", ["coverage", "vw_adf", "misguided"])
@pytest.mark.parametrize("stored", ["coverage", "vw_adf"])
def test_only_a_policy_of_the_configured_kind_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, stored: str
) -> None:
    settings, registry = load_settings(overrides={"policy": {"kind": kind}}), FileRegistry(tmp_path)
    library = plan_library(settings)
    registry.publish({"policy": policy_model(stored, library)})
    version = Models(settings, registry, library, schema(), {})().policy.version
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
        assert Models(settings, registry, library, schema(), {})().policy.version.startswith("warmup-")


@pytest.mark.parametrize(("kind", "learner"), [("coverage", CoverageLearner), ("vw_adf", AdfLearner)])
def test_what_is_configured_learns(tmp_path: Path, kind: str, learner: type) -> None:
    loop = build_learning(load_settings(overrides={"service": {"data_dir": str(tmp_path)}, "policy": {"kind": kind}}))
    assert [type(each) for each in loop._learners if each.component == "policy"] == [learner]
    loop.close()


def test_a_ranking_model_on_trial_is_served_beside_the_current_one(tmp_path: Path) -> None:
    registry = FileRegistry(tmp_path)
    registry.publish({"ranker": ranking_model(["x", "y"])})
    settings = load_settings(overrides={"ranking": {"trial": "interleave", "trial_share": 0.25}})
    models = Models(settings, registry, plan_library(settings), schema("x", "y"), {})
    assert models().experiment is None
    candidate = ranking_model(["x", "y"]) + b"\n"
    registry.publish({"ranker_candidate": candidate})
    tried = models().experiment
    assert tried is not None
    assert (tried.kind, tried.name, tried.share) == ("interleave", trial_name(candidate), 0.25)
    assert tried.first.ranker.version != tried.second.ranker.version
    registry.publish({"ranker_candidate": b""})
    assert models().experiment is None

"""The vw_adf model's bytes and arithmetic; damage is refused in words, before VW could see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from words import query

from bandit.adf.policy import AdfModel, VwAdfPolicy, action_features
from bandit.coverage.policy import CoverageModel
from bandit.plans import PlanLibrary
from core.errors import CorruptModel
from core.types import Features, Plan

LIBRARY = PlanLibrary(
    (Plan("a", {"lexical": 10}), Plan("b", {"lexical": 50, "vector": 20})), default="a", arms=("lexical", "vector")
)
# lexical@10, lexical@50, vector@20, plan a, plan b; x and the intercept.
WEIGHTS = np.array([[-0.1, 0.0], [-0.2, 0.0], [0.0, 0.05], [0.0, -0.3], [0.0, 0.0]])
MODEL = AdfModel(LIBRARY, ("x",), WEIGHTS, gamma=10.0, floor=0.2, vw=b"not read by serving")
CONTEXT = Features(("x",), np.array([2.0], dtype=np.float32))


def test_a_plan_has_the_features_of_its_arms_and_its_own() -> None:
    assert action_features(LIBRARY).astype(int).tolist() == [[1, 0, 0, 1, 0], [0, 1, 1, 0, 1]]


def test_costs_and_propensities_by_hand() -> None:
    policy = VwAdfPolicy(MODEL, seed=1)
    np.testing.assert_allclose(policy.costs(CONTEXT), [-0.2 - 0.3, -0.4 + 0.05])
    poorer = 1 / (2 + 10 * 0.15)
    assert policy.propensities(query("x"), CONTEXT)["b"] == pytest.approx(0.1 + 0.8 * poorer)


def test_a_model_survives_its_bytes() -> None:
    policy, again = VwAdfPolicy(MODEL, seed=3), VwAdfPolicy.load(MODEL.dump(), seed=3)
    assert again.version == policy.version
    assert again.propensities(query("x"), CONTEXT) == policy.propensities(query("x"), CONTEXT)
    assert AdfModel.load(MODEL.dump()).vw == MODEL.vw


def test_every_altered_or_missing_byte_is_refused() -> None:
    data = MODEL.dump()
    for place in range(0, len(data), 3):
        with pytest.raises(CorruptModel, match="The policy model is damaged"):
            AdfModel.load(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with pytest.raises(CorruptModel, match="The policy model is damaged"):
            AdfModel.load(data[:place])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (replace(MODEL, weights=np.ones((2, 2))), r"its weights are \(2, 2\), not \(5, 2\)"),
        (replace(MODEL, weights=np.full((5, 2), np.nan)), "numbers that cannot be"),
        (replace(MODEL, gamma=-1.0), "numbers that cannot be"),
    ],
)
def test_content_that_does_not_fit_is_refused(model: AdfModel, message: str) -> None:
    with pytest.raises(CorruptModel, match=message):
        AdfModel.load(model.dump())


def test_a_model_of_another_kind_is_refused() -> None:
    corrections = np.zeros((len(LIBRARY.plans), 2))
    weights, novelty = np.ones((4, 2)), np.zeros((2, 2))
    coverage = CoverageModel(LIBRARY, ("x",), weights, corrections, np.ones(3), 1.0, 0.1, 0.0, novelty)
    with pytest.raises(CorruptModel, match="not of the kind vw_adf"):
        AdfModel.load(coverage.dump())
    with pytest.raises(CorruptModel):
        CoverageModel.load(MODEL.dump())


def test_other_context_features_are_refused_in_words() -> None:
    with pytest.raises(CorruptModel, match=r"other context features \(different: \['x', 'y'\]\)"):
        VwAdfPolicy(MODEL, seed=1).propensities(query("x"), Features(("y",), np.zeros(1, dtype=np.float32)))

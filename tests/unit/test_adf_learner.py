"""What the vw_adf learner takes from an episode, and what it refuses to."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from builders import episode

from bandit.adf.learner import AdfLearner
from bandit.adf.policy import AdfModel, VwAdfPolicy, action_features
from bandit.adf.squarecb import SquareCb
from bandit.plans import PlanLibrary
from bandit.terms import Terms
from core.episodes import Episode
from core.errors import InvalidInput
from core.types import ArmReport, ArmStatus, Choice, Features, Plan

GOOD, POOR = Plan("good", {"lexical": 10}), Plan("poor", {"vector": 10})
TERMS = Terms(min_clicked=1, cost_per_ms=0.0, gamma=1.0, floor=0.02)
LIBRARY = PlanLibrary((GOOD, POOR), default="good", arms=("lexical", "vector"))


def learner(**changes: float) -> AdfLearner:
    return AdfLearner(LIBRARY, 1, replace(TERMS, **changes))


def seen(
    plan: Plan = GOOD, *, policy: str = "p", propensity: float = 0.5, name: str = "x", **fields: object
) -> Episode:
    told = episode(**{"context": {name: 1.0}, **fields})  # type: ignore[arg-type]
    return replace(told, impression=replace(told.impression, choice=Choice(plan, propensity, policy)))


def costs(taught: AdfLearner, name: str = "x") -> np.ndarray:
    model = taught.snapshot()
    assert model is not None
    taught.close()
    return VwAdfPolicy.load(model, seed=1).costs(Features((name,), np.ones(1, dtype=np.float32)))


def test_the_cost_of_a_plan_is_its_time_minus_its_reward() -> None:
    taught = learner(cost_per_ms=0.02)
    arms = {"lexical": ArmReport(ArmStatus.OK, 10, 3, 5.0), "memory": ArmReport(ArmStatus.OK, 10, 3, 10.0)}
    taught.learn([seen(GOOD, reward=0.8, arms=arms), seen(POOR, reward=0.1)] * 300)
    assert costs(taught) == pytest.approx([0.02 * 15 - 0.8, 0.02 - 0.1], abs=0.02)


def test_gamma_grows_with_the_root_of_the_rows() -> None:
    taught = learner(gamma=3.0)
    taught.learn([seen()] * 16)
    model = taught.snapshot()
    taught.close()
    assert model is not None
    assert AdfModel.load(model).gamma == 12.0


@pytest.mark.parametrize(
    "bad",
    [
        seen(policy="forced"),
        seen(arms={"lexical": ArmReport(ArmStatus.TIMEOUT, 10, 0, 1.0)}),
        seen(Plan("gone", {"lexical": 7})),
        seen(propensity=0.0),
        seen(context={"x": float("nan")}),
        seen(reward=float("inf")),
        replace(seen(), impression=replace(seen().impression, experiment="colours:both")),
    ],
    ids=["forced", "degraded", "plan gone", "p = 0", "nan", "infinite reward", "interleaved"],
)
def test_a_row_that_cannot_teach_costs_only_itself(bad: Episode) -> None:
    taught, other = learner(), learner()
    taught.learn([seen(), bad, seen()])
    other.learn([seen(), seen()])
    assert (taught.skipped, other.skipped) == (1, 0)
    np.testing.assert_array_equal(costs(taught), costs(other))


def test_a_plan_that_was_renamed_still_teaches() -> None:
    taught = learner()
    taught.learn([seen(replace(GOOD, name="once"))])
    assert taught.skipped == 0
    assert costs(taught)[0] < 0


def test_many_strangers_in_a_row_are_the_new_current(caplog: pytest.LogCaptureFixture) -> None:
    taught = learner()
    with caplog.at_level(logging.WARNING):
        taught.learn([seen(), *[seen(name="new")] * 25])
    assert taught.skipped == 19
    assert "starts to learn anew" in caplog.text
    assert costs(taught, "new").shape == (2,)


def test_no_model_before_enough_clicks_and_none_without_news() -> None:
    taught = learner(min_clicked=2)
    taught.learn([seen(), seen(gains=(0.0, 0.0, 0.0))])
    assert taught.snapshot() is None
    taught.learn([seen()])
    assert taught.snapshot() is not None
    assert taught.snapshot() is None
    taught.close()
    taught.close()


@pytest.mark.parametrize("values", [[np.nan, 0.0], [np.inf, 0.0], [1.0]])
def test_vw_never_sees_a_malformed_example(values: list[float]) -> None:
    vw = SquareCb(action_features(LIBRARY), 2, gamma=1.0, seed=1)
    with pytest.raises(InvalidInput, match="Features must be finite and fit"):
        vw.learn(0, np.array(values), cost=0.0, propensity=0.5)
    for action, cost, propensity in [(2, 0.0, 0.5), (0, np.nan, 0.5), (0, 0.0, 0.0), (0, 0.0, 1.5), (0, 0.0, np.nan)]:
        with pytest.raises(InvalidInput, match="a propensity above 0 and at most 1"):
            vw.learn(action, np.zeros(2), cost=cost, propensity=propensity)
    vw.close()

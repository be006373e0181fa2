"""What the coverage learner takes from an episode, and what it refuses to."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from builders import episode, shadow

from bandit.coverage.learner import CoverageLearner
from bandit.coverage.policy import CoverageModel
from bandit.plans import PlanLibrary
from bandit.terms import Terms
from core.episodes import Episode
from core.types import ArmReport, ArmStatus, Choice, Plan

LIBRARY = PlanLibrary(
    (Plan("both", {"lexical": 10, "vector": 10}), Plan("lexical", {"lexical": 10})),
    default="both",
    arms=("lexical", "vector"),
)
TERMS = Terms(min_clicked=1, cost_per_ms=0.0, gamma=1.0, floor=0.02)


def learner(**changes: int) -> CoverageLearner:
    return CoverageLearner(LIBRARY, 1, replace(TERMS, **changes))


def clicked(name: str = "x", value: float = 1.0, vector: ArmStatus = ArmStatus.OK, reward: float = 1.0) -> Episode:
    arms = {"lexical": ArmReport(ArmStatus.OK, 10, 3, 1.0), "vector": ArmReport(vector, 10, 3, 1.0)}
    ranks = {"lexical": (1, 2, 3), "vector": (0, 1, 2)}
    seen = episode(context={name: value}, arms=arms, ranks=ranks, reward=reward)
    return replace(seen, impression=replace(seen.impression, choice=Choice(LIBRARY.plans[0], 0.5, "test-policy")))


def weights(taught: CoverageLearner) -> np.ndarray:
    model = taught.snapshot()
    assert model is not None
    taught.close()
    return CoverageModel.load(model).weights


def test_a_click_labels_each_asked_arm() -> None:
    taught = learner()
    taught.learn([clicked() for _ in range(50)])
    lexical, vector, ceiling = weights(taught).sum(axis=1)
    assert lexical > 1 > -1 > vector
    assert ceiling > 1


@pytest.mark.parametrize("status", [ArmStatus.TIMEOUT, ArmStatus.ERROR])
def test_an_arm_that_did_not_answer_says_nothing(status: ArmStatus) -> None:
    taught = learner()
    taught.learn([clicked(vector=status) for _ in range(50)])
    assert not weights(taught)[1].any()


def test_a_shadow_labels_the_arms_that_the_plan_did_not_ask() -> None:
    asked = episode(context={"x": 1.0}, ranks={"lexical": (1, 2, 3)}, reward=1.0)
    without, taught = learner(), learner()
    without.learn([asked] * 50)
    taught.learn([replace(asked, shadow=shadow(ranks={"lexical": (1, 2, 3), "vector": (4, 0, 0)}))] * 50)
    assert not weights(without)[1].any()
    assert weights(taught)[1].sum() > 0.5


def test_a_shadow_labels_no_deeper_than_it_went_and_a_deeper_answer_stands() -> None:
    taught = learner()
    short = shadow(ranks={"lexical": (0, 0, 0), "vector": (4, 0, 0)}, depth=9)
    taught.learn([replace(episode(context={"x": 1.0}), shadow=short)] * 50)
    lexical, vector, _ = weights(taught)
    assert lexical.sum() > 1
    assert not vector.any()


def test_a_shadow_tells_what_an_arm_costs_that_was_never_asked_else() -> None:
    taught = learner()
    found = replace(shadow(depth=10), took_ms={"lexical": 99.0, "vector": 7.0})
    taught.learn([replace(episode(context={"x": 1.0}), shadow=found)])
    model = taught.snapshot()
    assert model is not None
    assert CoverageModel.load(model).head_ms == pytest.approx([1.0, 7.0])
    taught.close()


def test_an_interleaved_answer_of_two_plans_teaches_nothing() -> None:
    taught = learner()
    seen = clicked()
    taught.learn([clicked(), replace(seen, impression=replace(seen.impression, experiment="colours:both"))])
    assert (taught.skipped, taught._lessons.episodes) == (1, 1)
    taught.close()


def test_no_reward_means_a_low_ceiling() -> None:
    taught = learner()
    taught.learn([clicked(reward=-0.2) for _ in range(50)])
    assert weights(taught)[-1].sum() < -1


def test_a_straggler_is_skipped_and_counted_and_erases_nothing(caplog: pytest.LogCaptureFixture) -> None:
    taught = learner(min_clicked=30)
    taught.learn([*[clicked() for _ in range(29)], clicked("old"), clicked()])
    assert taught.skipped == 1
    assert taught.snapshot() is not None
    taught.close()
    assert not caplog.records


def test_many_strangers_in_a_row_are_the_new_current(caplog: pytest.LogCaptureFixture) -> None:
    taught = learner()
    taught.learn([clicked()] + [clicked("new") for _ in range(25)])
    assert taught.skipped == 19
    model = taught.snapshot()
    assert model is not None
    assert CoverageModel.load(model).names == ("new",)
    assert "starts to learn anew" in caplog.text
    taught.close()


def test_one_bad_row_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    taught = learner()
    with caplog.at_level(logging.WARNING):
        taught.learn([clicked(), clicked(value=float("nan")), clicked()])
    assert taught.skipped == 1
    assert "teaches nothing" in caplog.text
    assert np.isfinite(weights(taught)).all()


def test_an_arm_that_answers_alone_does_not_look_perfect() -> None:
    """Every click on what the lexical arm found alone was found by it; most searches have none."""
    taught = learner()
    alone = {"lexical": ArmReport(ArmStatus.OK, 10, 3, 1.0)}
    quiet = episode(context={"x": 1.0}, ranks={"lexical": (1, 2, 3)}, arms=alone, gains=(0.0, 0.0, 0.0), reward=0.0)
    hit = episode(context={"x": 1.0}, ranks={"lexical": (1, 2, 3)}, arms=alone)
    taught.learn([hit, quiet, quiet, quiet] * 50)
    lexical = weights(taught)[0].sum()
    assert 0.15 < 1 / (1 + np.exp(-lexical)) < 0.35


def test_nothing_new_is_not_published_again() -> None:
    taught = learner()
    taught.learn([clicked()])
    assert taught.snapshot() is not None
    assert taught.snapshot() is None
    taught.close()
    taught.close()


def test_what_serves_scatters_less_than_single_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second episode earns, by chance: the expected reward is one half, whoever came last."""
    luck = np.random.default_rng(3).random(1_500) < 0.5

    def served() -> np.ndarray:
        taught, found = learner(), []
        for start in range(0, len(luck), 10):
            taught.learn([clicked(reward=float(each)) for each in luck[start : start + 10]])
            found.append(float(CoverageModel.load(taught.snapshot() or b"").weights[-1, -1]))
        taught.close()
        return np.array(found[50:])

    averaged = served()
    monkeypatch.setattr("bandit.coverage.learner._AVERAGED", 1)
    assert np.diff(averaged).std() < np.diff(served()).std() / 5
    assert abs(averaged.mean()) < 0.3

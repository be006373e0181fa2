"""Plans, context features, and the arithmetic of the coverage policy."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from words import query

from bandit.context import context_features
from bandit.coverage.heads import LinearHeads
from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.plans import PlanLibrary
from core.errors import CorruptModel, InvalidConfig, InvalidInput
from core.types import Features, Plan

ARMS = ("lexical", "vector")
LIBRARY = PlanLibrary((Plan("a", {"lexical": 10}), Plan("b", {"lexical": 50, "vector": 20})), default="a", arms=ARMS)


@pytest.mark.parametrize(
    ("plans", "default", "message"),
    [
        ((), "a", "no plan"),
        ((Plan("a", {}),), "a", "'a' asks no arm"),
        ((Plan("a", {"lexcal": 10}),), "a", "Unknown arm 'lexcal'. Did you mean 'lexical'?"),
        ((Plan("a", {"lexical": 0}),), "a", "asks 0 candidates of 'lexical'; allowed are 1 to 1000"),
        ((Plan("a", {"lexical": 1001}),), "a", "asks 1001 candidates"),
        ((Plan("a", {"lexical": 1}), Plan("b", {"lexical": 1})), "a", "'a' and 'b' are the same"),
        ((Plan("all", {"lexical": 1}),), "al", "Unknown default plan 'al'. Did you mean 'all'?"),
    ],
)
def test_a_library_that_cannot_be_served_is_refused(plans: tuple[Plan, ...], default: str, message: str) -> None:
    with pytest.raises(InvalidConfig, match=re.escape(message)):
        PlanLibrary(plans, default, ARMS)


def test_a_library_survives_json_and_names_its_heads() -> None:
    assert PlanLibrary.from_json(LIBRARY.to_json()) == LIBRARY
    assert LIBRARY.heads == (("lexical", 10), ("lexical", 50), ("vector", 20))
    assert replace(LIBRARY, default="b").version != LIBRARY.version


def test_context_has_the_same_names_for_every_query() -> None:
    signals = {"vector": {"cached": 1.0}, "lexical": {"known": 0.5}}
    one, other = context_features(query("dv7-1211ea"), signals), context_features(query(""), signals)
    assert one.names == other.names
    assert one.names[-2:] == ("lexical.known", "vector.cached")
    values = dict(zip(one.names, one.values.tolist(), strict=True))
    assert values["query.model_number"] == 1
    assert values["query.digit_share"] == pytest.approx(5 / 9)
    assert np.isfinite(other.values).all()


def test_a_signal_that_is_not_finite_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"lexical\.known is nan"):
        context_features(query("x"), {"lexical": {"known": float("nan")}})


def model(weights: np.ndarray, **changes: float) -> CoverageModel:
    settings = {"gamma": 10.0, "floor": 0.0, "cost_per_ms": 0.0, **changes}
    novelty = np.zeros((2, 2))  # every context is usual
    return CoverageModel(
        LIBRARY, ("x",), weights, np.zeros((2, 2)), np.array([1.0, 2.0, 3.0]), novelty=novelty, **settings
    )


CONTEXT = Features(("x",), np.array([1.0], dtype=np.float32))


def test_scores_by_hand() -> None:
    logit = np.log(np.array([0.5, 0.8, 0.4, 0.9]) / (1 - np.array([0.5, 0.8, 0.4, 0.9])))
    weights = np.column_stack([np.zeros(4), logit])
    independent = CoveragePolicy(model(weights), seed=1).scores(CONTEXT)
    np.testing.assert_allclose(independent, [0.5, 0.9 * (1 - (1 - 0.8 / 0.9) * (1 - 0.4 / 0.9))])
    dear = CoveragePolicy(model(weights, cost_per_ms=0.01), seed=1).scores(CONTEXT)
    np.testing.assert_allclose(independent - dear, [0.01, 0.05])


def test_what_a_plan_was_seen_to_earn_corrects_the_union() -> None:
    seen = replace(model(np.zeros((4, 2))), corrections=np.array([[0.0, 0.0], [0.0, np.log(3.0)]]))
    plain, corrected = CoveragePolicy(model(np.zeros((4, 2))), seed=1), CoveragePolicy(seen, seed=1)
    alone, together = plain.rewards(CONTEXT)
    odds = 3 * together / (1 - together)
    np.testing.assert_allclose(corrected.rewards(CONTEXT), [alone, odds / (1 + odds)])


def test_a_deeper_answer_never_earns_less() -> None:
    shrinking = np.array([[0.0, 2.0], [0.0, -2.0], [0.0, 0.0], [0.0, 0.0]])
    shallow, deep = CoveragePolicy(model(shrinking), seed=1).rewards(CONTEXT)
    assert deep >= shallow


def test_inverse_gap_weighting_by_hand() -> None:
    weights = np.column_stack([np.zeros(4), [0.0, 0.0, 30.0, 30.0]])
    policy = CoveragePolicy(model(weights, floor=0.2), seed=1)
    chances = policy.propensities(query("x"), CONTEXT)
    poorer = 1 / (2 + 10 * (1 - 1e-4 - 0.5))  # rewards end a little below 1
    assert chances["a"] == pytest.approx(0.1 + 0.8 * poorer, rel=1e-6)


def test_other_context_features_are_refused_in_words() -> None:
    policy = CoveragePolicy(model(np.zeros((4, 2))), seed=1)
    with pytest.raises(CorruptModel, match=r"other context features \(different: \['x', 'y'\]\)"):
        policy.propensities(query("x"), Features(("y",), np.zeros(1, dtype=np.float32)))


def test_a_model_survives_its_bytes() -> None:
    policy = CoveragePolicy(model(np.random.default_rng(1).normal(size=(4, 2))), seed=3)
    again = CoveragePolicy.load(policy._model.dump(), seed=3)
    assert again.version == policy.version
    assert again.propensities(query("x"), CONTEXT) == policy.propensities(query("x"), CONTEXT)


@pytest.mark.parametrize("values", [[np.nan, 0.0], [np.inf, 0.0], [1.0]])
def test_vw_never_sees_a_malformed_example(values: list[float]) -> None:
    heads = LinearHeads([0, 1], 2, seed=1)
    with pytest.raises(InvalidInput, match="Features must be finite and fit"):
        heads.learn(0, np.array(values), target=1.0)
    with pytest.raises(InvalidInput, match="Head 2 of 2"):
        heads.learn(2, np.zeros(2), target=1.0)
    with pytest.raises(InvalidInput, match=r"Weight 0\.0"):
        heads.learn(0, np.zeros(2), target=1.0, weight=0.0)
    heads.close()

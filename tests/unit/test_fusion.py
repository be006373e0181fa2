"""Fixed fusions: by hand, and no query chooses its own weights."""

from __future__ import annotations

from core.types import ItemId
from ranking.fusion import best_arm, best_weights, reciprocal_rank, tuned, weighted
from ranking.metrics import measure

ARMS = ("good", "bad")


def hits(*ids: str) -> list[tuple[ItemId, float]]:
    return [(ItemId(each), float(len(ids) - n)) for n, each in enumerate(ids)]


def world(count: int) -> tuple[dict[str, dict[str, list[tuple[ItemId, float]]]], dict[str, dict[str, int]]]:
    """Queries on which one arm is right and the other is wrong."""
    answers = {f"q{n}": {"good": hits("yes", "x", "y"), "bad": hits("x", "y", "z")} for n in range(count)}
    return answers, {f"q{n}": {"yes": 1} for n in range(count)}


def test_reciprocal_rank_by_hand() -> None:
    found = reciprocal_rank({"a": hits("i", "j"), "b": hits("j")}, ["a", "b"])
    assert found == ["j", "i"]
    assert reciprocal_rank({"a": hits("i", "j"), "b": hits("j")}, ["a"]) == ["i", "j"]


def test_weights_follow_the_better_arm_and_are_for_use_on_other_queries() -> None:
    answers, judgments = world(20)
    assert measure(tuned(answers, judgments, ARMS), judgments)["nDCG@10"] == 1.0
    weights = best_weights(answers, judgments, ARMS)
    assert weights["good"] > weights["bad"]
    others, theirs = world(30)
    assert measure(weighted(others, weights), theirs)["nDCG@10"] == 1.0


def test_a_query_does_not_choose_its_own_weights() -> None:
    answers, judgments = world(20)
    # The first query is the other way round: tuned on the others, it must lose.
    judgments["q0"] = {"z": 1}
    assert tuned(answers, judgments, ARMS)["q0"][0] == "yes"


def test_the_oracle_picks_by_the_ratings() -> None:
    answers, judgments = world(3)
    judgments["q0"] = {"z": 1}
    chosen = best_arm(answers, judgments, ARMS)
    assert chosen["q0"] == ["x", "y", "z"]
    assert chosen["q1"][0] == "yes"


def test_an_arm_that_found_nothing_changes_nothing() -> None:
    answers = {"q": {"good": hits("yes", "x"), "bad": []}}
    assert weighted(answers, {"good": 0.5, "bad": 0.5})["q"] == ["yes", "x"]

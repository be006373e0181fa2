"""The benchmark's shortcuts: a plan valued in hindsight is what the real union, ranker and reward make of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from benchmarks.bandit.kinds.courses import Course, best_of_each_kind, oracle
from benchmarks.bandit.kinds.hindsight import PAGE, Hindsight
from benchmarks.bandit.kinds.learning import visit
from benchmarks.bandit.kinds.recorded import DEPTH, Recording
from benchmarks.bandit.kinds.static_plans import Library, Values, World, best_static
from benchmarks.bandit.kinds.traffic import KINDS, pools, traffic
from core.types import Features, Item, ItemId, Plan, Scored
from feedback.reward import RewardRule
from ranking.rrf import ReciprocalRankFusion
from retrievers.union import union
from simulation.clicks import PositionBasedClicks

ARMS = ("a", "b", "c", "d")
CLICKS = PositionBasedClicks(3)
NO_FEATURES = Features((), np.zeros((0, 0), dtype=np.float32))


def answers(random: np.random.Generator, *, items: int = 60, depth: int = 40) -> np.ndarray:
    """[arms, DEPTH] random lists of different lengths."""
    found = np.full((len(ARMS), DEPTH), -1, dtype=np.int32)
    for row in found:
        length = int(random.integers(depth + 1))
        row[:length] = random.permutation(items)[:length]
    return found


def ranked(found: np.ndarray, depths: Sequence[int]) -> list[int]:
    """The first ten by the service's own union and reciprocal rank fusion; sums equal but for rounding are equal."""
    hits = {
        arm: [Scored(ItemId(str(n)), 0.0) for n in row[:depth].tolist() if n >= 0]
        for arm, row, depth in zip(ARMS, found, depths, strict=True)
        if depth
    }
    items = {ItemId(str(n)): Item(ItemId(str(n)), "product", {}) for n in range(200)}
    candidates = union(hits, items)
    scores = ReciprocalRankFusion().score(candidates, NO_FEATURES).round(15)
    return [int(candidates[row].item.id) for row in np.argsort(-scores, kind="stable")[:PAGE]]


def world(found: np.ndarray, grades: Sequence[Mapping[int, int]]) -> World:
    """An arm takes 1 ms, and 1 ms more for every 100 candidates; the first arm twice that."""
    count = len(found)
    arm_ms = np.array([[1.1, 1.2, 1.5, 2.0]] * len(ARMS)) * np.array([[2.0], [1.0], [1.0], [1.0]])
    recording = Recording(
        ("",) * count,
        ARMS,
        ("x",),
        (),
        found,
        np.zeros((count, 1), dtype=np.float32),
        arm_ms,
        np.ones((count, len(ARMS))),
    )
    return World(recording, Hindsight.of(found, grades, CLICKS))


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_shows_in_hindsight_what_union_and_rrf_show(seed: int) -> None:
    random = np.random.default_rng(seed)
    found = np.array([answers(random) for _ in range(5)])
    hindsight = Hindsight.of(found, [{}] * len(found), CLICKS)
    for depths in random.choice([0, 5, 10, 20, 40], size=(10, len(ARMS))):
        shown = hindsight.shown(depths)
        for n, search in enumerate(found):
            expected = ranked(search, depths)
            rows = shown[n][shown[n] >= 0]
            assert len(rows) == len(expected)
            for row, item in zip(rows, expected, strict=True):  # an item is known by its ranks
                where = {a: list(search[a]).index(item) + 1 for a in range(len(ARMS)) if item in search[a]}
                assert {a: rank for a in range(len(ARMS)) if (rank := hindsight.ranks[a, n, row]) <= DEPTH} == where


def test_the_expected_reward_is_the_sum_over_positions_cut_to_one() -> None:
    random = np.random.default_rng(1)
    found = np.array([answers(random) for _ in range(30)])
    grades = [{n: int(random.integers(4)) for n in range(60)} for _ in found]
    depths = np.array([20, 0, 40, 10])
    rewards = world(found, grades).rewards(Plan("p", dict(zip(ARMS, depths.tolist(), strict=True))))
    for n, search in enumerate(found):
        total = 0.0
        for position, item in enumerate(ranked(search, depths), start=1):
            chance = CLICKS.probabilities([0] * (position - 1) + [grades[n][item]])[-1]
            total += chance / math.log2(1 + position)
        assert rewards[n] == pytest.approx(min(1.0, total))


def tiny() -> World:
    """Two searches: arm a has the wanted item first in one, arm b second in the other; nothing else is found."""
    found = np.full((2, len(ARMS), DEPTH), -1, dtype=np.int32)
    found[0, 0, 0] = 7
    found[1, 1, :2] = 8, 9
    return world(found, [{7: 3}, {9: 3}])


def test_a_static_plan_is_worth_what_one_reckons_by_hand() -> None:
    course = Course.of_plan(tiny(), Plan("p", {"a": 10, "b": 100}))
    second = 0.1 + 0.5 / math.log2(3)  # an irrelevant item at 1, the wanted one at 2, which half of the people look at
    assert course.reward.tolist() == pytest.approx([1.0, second])
    assert course.ms.tolist() == pytest.approx([2.2 + 2.0] * 2)
    net = (1.0 + second) / 2 - 0.01 * 4.2
    assert course.summary(np.arange(2), 0.01)["net"] == pytest.approx(net)
    assert Values(tiny(), np.arange(2), 0.01)(np.array([[10, 100, 0, 0]])) == pytest.approx([net])


def test_the_best_static_plan_asks_the_arms_that_find_and_no_deeper_than_helps() -> None:
    assert dict(best_static(tiny(), 0.01, seed=1).depths) == {"a": 10, "b": 10}
    assert dict(best_static(tiny(), 0.3, seed=1).depths) == {"b": 10}  # a finds more, for twice as much


def test_a_mixture_of_plans_is_worth_the_mixture_of_their_rewards() -> None:
    plans = PlanLibrary((Plan("a", {"a": 10}), Plan("b", {"b": 100})), "a", ARMS)
    course = Course.of_chances(Library.of(tiny(), plans), np.array([[0.25, 0.75]]), start=0)
    assert course.reward.tolist() == pytest.approx([0.25])
    assert course.ms.tolist() == pytest.approx([0.25 * 2.2 + 0.75 * 2.0])
    assert course.asked.tolist() == [[0.25, 0.75, 0, 0]]
    assert course.depth.tolist() == [[2.5, 75, 0, 0]]


def test_who_knows_each_search_earns_no_less_than_who_knows_its_kind_and_both_pay_for_what_they_ask() -> None:
    plans = PlanLibrary((Plan("a", {"a": 10}), Plan("b", {"b": 10}), Plan("both", {"a": 10, "b": 10})), "a", ARMS)
    library = Library.of(tiny(), plans)
    perfect, by_kind = oracle(library, 0.01), best_of_each_kind(library, np.array([0, 0]), 0.01)
    assert perfect.ms.tolist() == pytest.approx([2.2, 1.1])
    assert by_kind.ms.tolist() == pytest.approx([3.3, 3.3])
    assert perfect.reward.tolist() == by_kind.reward.tolist()


def test_a_visit_logs_the_ranks_of_the_asked_arms_and_a_shadow_those_of_all() -> None:
    played = tiny()
    library = Library.of(played, PlanLibrary((Plan("b", {"b": 10}),), "b", ARMS))
    policy = UniformPolicy(library.plans, 1)
    episodes = [visit(played, library, policy, 1, run=run, shadow_share=1.0) for run in range(2_000)]
    for episode in episodes[:5]:
        assert episode.impression.ranks == {"b": (1, 2)}
        assert episode.impression.arms["b"].took_ms == pytest.approx(1.1)
        assert episode.shadow is not None
        assert episode.shadow.ranks == {
            "a": (0, 0),
            "b": (1, 2),
            "c": (0, 0),
            "d": (0, 0),
        }
        assert episode.reward == RewardRule.reward(episode.gains, 1)
    clicked = np.mean([episode.gains for episode in episodes], axis=0)
    assert clicked == pytest.approx([0.1, 0.5], abs=0.05)
    assert visit(played, library, policy, 1, run=1, shadow_share=0.0).shadow is None


def test_a_recording_is_the_same_after_saving(tmp_path: Path) -> None:
    recording = replace(tiny().recording, items=("i1", "i2"))
    recording.save(tmp_path / "world.npz")
    again = Recording.load(tmp_path / "world.npz")
    assert (again.texts, again.arms, again.names, again.items) == (recording.texts, ARMS, ("x",), ("i1", "i2"))
    for name in ("found", "context", "arm_ms", "pace"):
        assert np.array_equal(getattr(again, name), getattr(recording, name))


def test_traffic_takes_the_kinds_in_turn_and_known_items_want_one_product() -> None:
    items = [
        Item(
            ItemId(f"i{n}"),
            "product",
            {"title": f"green{n} garden lamp number{n} holder", "brand": "acme", "model": f"gl{n}"},
            {"colour": ("green",), "size": (f"{n} cm",), "material": ("brass",)},
        )
        for n in range(30)
    ]
    made = pools(items, {"lamp": {"i1": 3, "i2": 0}}, known=10, seed=1)
    stream = traffic(made, seed=1)
    assert [next(stream).kind for _ in range(10)] == [*KINDS, *KINDS]
    assert made["topical"][0].grades == {"i1": 3}
    assert all(len(intent.grades) == 1 for kind in ("exact", "misspelt", "described") for intent in made[kind])
    assert {intent.text for intent in made["head"]} <= {"garden lamp"}

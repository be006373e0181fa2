"""Where variants are equal, about one experiment in twenty sees a difference; where they are not, it is seen."""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest

from bandit.experiments.assignment import assign, compare
from bandit.experiments.interleaving import SIGNIFICANT, credit, preference, team_draft
from core.types import ItemId

EXPERIMENTS = 400


def is_about_five_percent(seen: int) -> bool:
    return 0.02 <= seen / EXPERIMENTS <= 0.09


def test_two_rankings_of_equal_quality_are_seldom_told_apart() -> None:
    random = np.random.default_rng(1)
    items = [ItemId(f"i{n}") for n in range(6)]
    seen = 0
    for seed in range(EXPERIMENTS):
        credited = []
        for n in range(120):
            first, second = random.permutation(items), random.permutation(items)
            mixed = team_draft(first.tolist(), second.tolist(), seed=seed, key=f"q{n}")
            credited.append(credit(mixed.teams, random.random(6) < 1 / np.arange(2, 8)))
        seen += preference(credited).p_value < SIGNIFICANT
    assert is_about_five_percent(seen), seen


def test_a_better_ranking_is_seen_from_a_hundred_clicks() -> None:
    random = np.random.default_rng(3)
    good = [ItemId(f"i{n}") for n in range(10)]
    poor = [*good[5:], *good[:5]]
    credited = []
    for n in range(120):
        mixed = team_draft(poor, good, seed=1, key=f"q{n}")
        wanted = good[random.integers(3)]  # whatever is shown where, the person looks for one of three
        credited.append(credit(mixed.teams, [float(item_id == wanted) for item_id in mixed.items]))
    found = preference(credited)
    assert found.verdict == "second is better"
    assert found.interval[0] > 0.5


def test_clients_of_one_kind_are_seldom_told_apart() -> None:
    random = np.random.default_rng(2)
    by_client = by_search = 0
    for seed in range(EXPERIMENTS):
        rewards: dict[str, list[list[float]]] = {"first": [], "second": []}
        for n in range(150):
            mood, searches = random.random(), random.geometric(0.2)  # clients differ, and search differently often
            variant = assign(f"experiment-{seed}", f"client-{n}", {"first": 0.5, "second": 0.5})
            rewards[variant].append((random.random(searches) < mood).astype(float).tolist())
        by_client += compare(rewards["first"], rewards["second"]).p_value < SIGNIFICANT
        single = {variant: [[reward] for client in found for reward in client] for variant, found in rewards.items()}
        by_search += compare(single["first"], single["second"]).p_value < SIGNIFICANT
    assert is_about_five_percent(by_client), by_client
    assert binomtest(by_search, EXPERIMENTS, SIGNIFICANT).pvalue < 1e-6  # why clients are what is counted

"""The world of the rollout benchmark is what it says, and one rollout of each kind ends as it should."""

from __future__ import annotations

import numpy as np
import pytest

from app.settings import load_settings
from app.wiring.rollout import rules
from bandit.experiments.assignment import clustered_mean
from benchmarks.bandit.rollouts import WARMUP, better, clustered, equal, misguided, run, value
from core.protocols import Policy


def test_equal_is_exactly_equal_and_the_others_are_what_they_are_called() -> None:
    assert value(equal()) == pytest.approx(value(WARMUP), abs=1e-12)
    assert value(misguided()) < value(WARMUP) - 0.1
    assert value(better()) > value(WARMUP) + 0.05


def test_sums_of_clients_give_the_same_error_as_their_searches() -> None:
    random = np.random.default_rng(1)
    clients = [random.integers(2, size=random.integers(1, 9)).astype(float).tolist() for _ in range(40)]
    mean, variance = clustered_mean(clients)
    found = clustered(np.array([sum(each) for each in clients]), np.array([float(len(each)) for each in clients]))
    assert (found.value, found.error) == pytest.approx((mean, variance**0.5))


@pytest.mark.parametrize(
    ("policy", "gated", "what", "words"),
    [
        (misguided(), True, "dropped", "It would earn less"),
        (misguided(), False, "dropped", "less than the champion's"),
        (better(), True, "promoted", "more than the champion's"),
    ],
)
def test_one_rollout(policy: Policy, gated: bool, what: str, words: str) -> None:
    ended = run(policy, 7, rules(load_settings()), gated=gated)
    assert ended.what == what
    assert words in ended.reason

"""Sticky assignment by hash, and the comparison of rewards by client."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare, ttest_ind

from bandit.experiments.assignment import assign, compare, unit
from core.errors import InvalidInput
from core.types import Query, QueryId

SHARES = {"first": 0.7, "second": 0.2, "third": 0.1}
CLIENTS = [f"client-{n}" for n in range(100_000)]


def test_shares_are_kept_over_many_clients() -> None:
    found = Counter(assign("colours", client, SHARES) for client in CLIENTS)
    expected = [share * len(CLIENTS) for share in SHARES.values()]
    assert chisquare([found[variant] for variant in SHARES], expected).pvalue > 0.001


def test_a_client_keeps_its_variant_when_the_share_of_the_second_grows() -> None:
    for client in CLIENTS[:1_000]:
        small = assign("colours", client, {"first": 0.9, "second": 0.1})
        large = assign("colours", client, {"first": 0.5, "second": 0.5})
        assert small == assign("colours", client, {"first": 0.9, "second": 0.1})
        assert (small, large) != ("second", "first")


def test_two_experiments_are_independent() -> None:
    halves = {"first": 0.5, "second": 0.5}
    both = Counter((assign("colours", client, halves), assign("fonts", client, halves)) for client in CLIENTS)
    table = [[both[one, other] for other in halves] for one in halves]
    assert chi2_contingency(table).pvalue > 0.001


def test_nobody_gets_a_variant_without_a_share() -> None:
    assert {assign("colours", client, {"first": 0.0, "second": 1.0}) for client in CLIENTS[:1_000]} == {"second"}


@pytest.mark.parametrize("shares", [{"first": 0.5, "second": 0.6}, {"first": 1.5, "second": -0.5}])
def test_shares_that_are_none_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=r"experiment 'colours' are \{'first'"):
        assign("colours", "client", shares)


def test_who_is_assigned() -> None:
    asked = {"id": QueryId("q"), "text": "lamp", "time": 0.0}
    assert unit(Query(**asked, client_id="c", session_id="s")) == "c"
    assert unit(Query(**asked, session_id="s")) == "s"
    assert unit(Query(**asked)) == "q"


def test_with_one_search_a_client_it_is_welchs_test() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(0.5, 0.1, 400), random.normal(0.52, 0.3, 900)
    found = compare([[reward] for reward in one], [[reward] for reward in other])
    expected = ttest_ind(other, one, equal_var=False)
    low, high = expected.confidence_interval(0.95)
    assert found.difference == pytest.approx(other.mean() - one.mean())
    assert found.interval == pytest.approx((low, high), abs=1e-3)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-3)


def test_searches_of_one_client_are_no_new_evidence() -> None:
    random = np.random.default_rng(2)
    one, other = random.normal(0.5, 0.2, 50).tolist(), random.normal(0.6, 0.2, 50).tolist()
    once = compare([[reward] for reward in one], [[reward] for reward in other])
    often = compare([[reward] * 9 for reward in one], [[reward] * 9 for reward in other])
    assert often.interval == pytest.approx(once.interval)


@pytest.mark.parametrize(
    ("shift", "clients", "verdict"),
    [
        (0.0, 100, "no difference seen"), (0.3, 100, "second is better"), (-0.3, 100, "first is better"),
        (0.3, 29, "too few"), (0.3, 1, "too few"), (0.0, 0, "too few"),
    ],
)  # fmt: skip
def test_the_verdict_in_words(shift: float, clients: int, verdict: str) -> None:
    rewards = [[0.1 * (n % 5), 0.2] for n in range(clients)]
    shifted = [[reward + shift for reward in client] for client in rewards]
    assert compare(rewards, shifted).verdict == verdict

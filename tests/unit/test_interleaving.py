"""Team draft and the test of preference, against counts by hand and against scipy."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from bandit.experiments.interleaving import FIRST, NOBODY, SECOND, credit, preference, sign_test, team_draft, wilson
from core.types import ItemId

LEFT = [ItemId(name) for name in "abcdef"]
RIGHT = [ItemId(name) for name in "uvwxyz"]
SEARCHES = 2_000


def test_a_fair_coin_says_who_picks_first_in_every_round() -> None:
    drafts = [team_draft(LEFT, LEFT, seed=1, key=f"q{n}").teams for n in range(SEARCHES)]
    for place in (0, 2, 4):
        assert binomtest(sum(teams[place] == FIRST for teams in drafts), SEARCHES).pvalue > 0.001
        assert all(teams[place] != teams[place + 1] for teams in drafts)
    again = sum(teams[0] == teams[2] for teams in drafts)
    assert binomtest(again, SEARCHES).pvalue > 0.001  # one round's coin says nothing of the next


def test_neither_side_is_favoured() -> None:
    on_top = sum(team_draft(LEFT, RIGHT, seed=1, key=f"q{n}").items[0] == "a" for n in range(SEARCHES))
    exchanged = sum(team_draft(RIGHT, LEFT, seed=1, key=f"q{n}").items[0] == "a" for n in range(SEARCHES))
    assert on_top + exchanged == SEARCHES  # the same coins, for the other side
    assert binomtest(on_top, SEARCHES).pvalue > 0.001


def test_what_both_have_goes_to_who_picks_it_first() -> None:
    shared = [ItemId("s")]
    for n in range(20):
        mixed = team_draft([*shared, *LEFT], [*shared, *RIGHT], seed=1, key=f"q{n}")
        assert mixed.items[0] == "s"
        assert mixed.items[1] == ("u" if mixed.teams[0] == FIRST else "a")


def test_the_rest_of_the_longer_ranking_is_nobodys() -> None:
    for n in range(20):
        mixed = team_draft(LEFT[:1], RIGHT, seed=1, key=f"q{n}")
        assert sorted(mixed.teams[:2]) == [FIRST, SECOND]  # as many picks each, whoever was first
        assert mixed.teams[2:] == (NOBODY,) * 5
        assert mixed.items[2:] == tuple(RIGHT[1:])
    assert team_draft([], RIGHT, seed=1, key="q").teams == (NOBODY,) * 6


def test_credit_counts_clicked_items_of_each_team() -> None:
    assert credit((1, 2, 2, 1, 0), (1.0, 3.0, 1.5, -1.0, 1.0)) == (1, 2)
    with pytest.raises(ValueError, match="shorter"):
        credit((1, 2), (1.0,))


def test_a_preference_by_hand() -> None:
    found = preference([(1, 0)] * 2 + [(0, 1)] * 6 + [(1, 1)] * 4 + [(0, 0)] * 50)
    assert (found.wins_first, found.wins_second, found.ties) == (2, 6, 4)
    assert found.delta == pytest.approx((6 + 2) / 12 - 0.5)
    assert found.verdict == "too few"


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (0, 0, "too few"), (0, 5, "too few"), (0, 6, "second is better"), (60, 30, "first is better"),
        (50, 50, "no difference seen"), (2_000, 2_300, "second is better"),
    ],
)  # fmt: skip
def test_the_verdict_in_words(first: int, second: int, verdict: str) -> None:
    assert preference([(1, 0)] * first + [(0, 1)] * second).verdict == verdict


@pytest.mark.parametrize(("one", "other"), [(0, 1), (3, 9), (40, 60), (470, 530), (500, 500)])
def test_the_sign_test_is_exact(one: int, other: int) -> None:
    assert sign_test(one, other) == sign_test(other, one) == pytest.approx(binomtest(one, one + other).pvalue)


@pytest.mark.parametrize("one", [500, 490, 470, 460, 440])
def test_beyond_a_thousand_it_is_nearly_exact(one: int) -> None:
    assert sign_test(one, 1_001 - one) == pytest.approx(binomtest(one, 1_001).pvalue, abs=0.001)


@pytest.mark.parametrize(("wins", "throws"), [(0, 1), (7, 10), (10, 10), (520, 1_000)])
def test_the_interval_is_wilsons(wins: int, throws: int) -> None:
    expected = binomtest(wins, throws).proportion_ci(method="wilson")
    assert wilson(wins, throws) == pytest.approx((expected.low, expected.high))

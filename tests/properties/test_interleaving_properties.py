"""Laws of team draft, whatever the two rankings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bandit.experiments.interleaving import FIRST, NOBODY, SECOND, team_draft
from core.types import ItemId

rankings = st.lists(st.sampled_from([ItemId(f"i{n}") for n in range(15)]), unique=True, max_size=12)
seeds = st.integers(0, 1_000)


@given(rankings, rankings, seeds)
def test_nothing_is_lost_and_nothing_twice(first: list[ItemId], second: list[ItemId], seed: int) -> None:
    mixed = team_draft(first, second, seed=seed, key="q")
    assert sorted(mixed.items) == sorted({*first, *second})
    assert len(mixed.teams) == len(mixed.items)


@given(rankings, rankings, seeds)
def test_no_team_is_ever_more_than_one_pick_ahead(first: list[ItemId], second: list[ItemId], seed: int) -> None:
    teams = team_draft(first, second, seed=seed, key="q").teams
    for length in range(len(teams) + 1):
        assert abs(teams[:length].count(FIRST) - teams[:length].count(SECOND)) <= 1


@given(rankings, rankings, seeds)
def test_every_pick_is_the_best_left_of_its_team(first: list[ItemId], second: list[ItemId], seed: int) -> None:
    mixed = team_draft(first, second, seed=seed, key="q")
    for place, (item_id, team) in enumerate(zip(mixed.items, mixed.teams, strict=True)):
        left = {
            FIRST: [found for found in first if found not in mixed.items[:place]],
            SECOND: [found for found in second if found not in mixed.items[:place]],
        }
        if team == NOBODY:
            assert [*left[FIRST], *left[SECOND]][0] == item_id
            assert not (left[FIRST] and left[SECOND])
        else:
            assert left[team][0] == item_id


@given(rankings, seeds)
def test_equal_rankings_are_shown_as_they_are(ranking: list[ItemId], seed: int) -> None:
    assert list(team_draft(ranking, ranking, seed=seed, key="q").items) == ranking


@given(rankings, rankings, seeds)
def test_a_replay_is_exact(first: list[ItemId], second: list[ItemId], seed: int) -> None:
    assert team_draft(first, second, seed=seed, key="q") == team_draft(first, second, seed=seed, key="q")

"""Who gets whom while shares grow."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from words import query

from bandit.plans import PlanLibrary
from bandit.rollouts.staged import StagedPolicy
from bandit.uniform import UniformPolicy
from core.types import Plan

LIBRARY = PlanLibrary((Plan("a", {"lexical": 10}), Plan("b", {"lexical": 20})), default="a", arms=("lexical",))
CHAMPION, CANDIDATE, CONTROL = (UniformPolicy(LIBRARY, seed) for seed in (1, 2, 3))
SHARES = st.floats(0, 0.6, allow_nan=False)


def staged(control: float, share: float) -> StagedPolicy:
    return StagedPolicy(CHAMPION, CONTROL, control, CANDIDATE, share)


@given(control=st.floats(0, 0.4), share=SHARES)
def test_the_shares_sum_to_one(control: float, share: float) -> None:
    shares = [part for _, part in staged(control, share).parts.values()]
    assert abs(sum(shares) - 1) < 1e-9
    assert min(shares) >= -1e-9


@given(client=st.text(max_size=10), control=st.floats(0, 0.4), shares=st.tuples(SHARES, SHARES))
def test_a_client_changes_only_from_champion_to_candidate(
    client: str, control: float, shares: tuple[float, float]
) -> None:
    asked = replace(query("lamp"), client_id=client)
    before, after = (staged(control, share).of(asked) for share in sorted(shares))
    assert after is before or (before is CHAMPION and after is CANDIDATE)


@given(client=st.text(max_size=10), control=st.floats(0, 0.4))
def test_who_is_in_the_control_is_so_whatever_is_rolled_out(client: str, control: float) -> None:
    asked = replace(query("lamp"), client_id=client)
    alone = StagedPolicy(CHAMPION, CONTROL, control)
    other = StagedPolicy(CANDIDATE, CONTROL, control, CHAMPION, 0.5)
    assert (alone.of(asked) is CONTROL) == (other.of(asked) is CONTROL)


def test_the_shares_are_those_of_the_clients() -> None:
    whole = staged(0.05, 0.1)
    drawn = [whole.of(replace(query("lamp"), client_id=f"client-{n}")) for n in range(20_000)]
    for policy, share in whole.parts.values():
        assert abs(sum(each is policy for each in drawn) / 20_000 - share) < 0.01

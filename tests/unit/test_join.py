"""Which feedback belongs to an episode, and what it is worth."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import click, impression, shadow

from feedback.join import Joined, closed
from feedback.reward import RewardRule
from feedback.sqlite_store import SqliteEventStore

RULE = RewardRule({"click": 1.0, "like": 1.5, "purchase": 3.0, "dismiss": -1.0})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteEventStore]:
    opened = SqliteEventStore(tmp_path / "events.sqlite")
    yield opened
    opened.close()


def join(store: SqliteEventStore, now: float, after: int = 0) -> Joined:
    return closed(store, after=after, now=now, window_s=60.0, rule=RULE)


def test_an_open_window_waits_and_holds_back_what_comes_after_it(store: SqliteEventStore) -> None:
    for n, time in enumerate([0.0, 100.0, 50.0]):
        store.append_impression(impression(f"q{n}", time=time))
    assert [e.impression.query.id for e in join(store, now=59.9).episodes] == []
    first = join(store, now=120.0)
    assert [e.impression.query.id for e in first.episodes] == ["q0"]
    rest = join(store, now=160.0, after=first.cursor)
    assert [e.impression.query.id for e in rest.episodes] == ["q1", "q2"]
    assert join(store, now=1e9, after=rest.cursor).episodes == []


def test_every_episode_names_the_rule_of_its_reward(store: SqliteEventStore) -> None:
    store.append_impression(impression("q1"))
    (found,) = join(store, now=60.0).episodes
    assert found.rule == RULE.version


def test_late_feedback_is_counted_and_not_credited(store: SqliteEventStore) -> None:
    store.append_impression(impression(time=0.0))
    store.append_feedback([click(item_id="a", time=60.0), click(item_id="b", time=60.1)])
    joined = join(store, now=1_000.0)
    assert joined.episodes[0].gains == (1.0, 0.0, 0.0)
    assert joined.late == 1


def test_a_shadow_belongs_to_its_episode_unless_it_came_after_the_window(store: SqliteEventStore) -> None:
    for n in range(3):
        store.append_impression(impression(f"q{n}", time=0.0))
    store.append_shadow(shadow("q0", time=60.0))
    store.append_shadow(shadow("q1", time=60.1))
    assert [e.shadow for e in join(store, now=1_000.0).episodes] == [shadow("q0", time=60.0), None, None]


def test_wrong_clocks_are_bounded_by_what_we_know(store: SqliteEventStore) -> None:
    store.append_impression(impression(time=100.0))
    early = click(item_id="a", time=-5_000.0, received=110.0)
    future = click(item_id="b", time=9_000.0, received=120.0)
    store.append_feedback([early, future])
    assert join(store, now=1_000.0).episodes[0].gains == (1.0, 1.0, 0.0)


def test_the_order_of_arrival_changes_nothing(tmp_path: Path) -> None:
    shown = [impression(f"q{n}", time=float(n)) for n in range(20)]
    events = [click(f"q{n}", item, time=n + 7.0 * k) for n in range(20) for k, item in enumerate("abc")]
    outcomes = []
    for seed in range(3):
        store = SqliteEventStore(tmp_path / f"{seed}.sqlite")
        for each in shown:
            store.append_impression(each)
        random.Random(seed).shuffle(events)
        for event in events:
            store.append_feedback([event])
        joined = join(store, now=1e6)
        outcomes.append([(e.impression.query.id, e.feedback, e.gains, e.reward) for e in joined.episodes])
        store.close()
    assert outcomes[0] == outcomes[1] == outcomes[2]


@pytest.mark.parametrize(
    ("actions", "gain"),
    [
        ([], 0.0), (["click"], 1.0), (["click", "click", "click"], 1.0), (["click", "purchase"], 3.0),
        (["dismiss"], -1.0), (["dismiss", "like"], 1.5), (["unheard-of"], 0.0),
    ],
)  # fmt: skip
def test_gains(actions: list[str], gain: float) -> None:
    events = [click(action=action, time=float(n)) for n, action in enumerate(actions)]
    assert RULE.gains(impression(), events) == (gain, 0.0, 0.0)


def test_rewards_are_discounted_and_cut() -> None:
    assert RULE.reward((1.0, 0.0, 0.0), 1) == 1.0
    assert RULE.reward((0.0, 0.0, 1.0), 1) == pytest.approx(0.5)
    assert RULE.reward((1.0, 0.0, 0.0), 3) == pytest.approx(0.5)
    assert RULE.reward((3.0, 3.0, 0.0), 1) == 1.0
    assert RULE.reward((-1.0, -1.0, -1.0), 1) == -1.0
    assert RULE.reward((), 1) == 0.0


def test_the_version_names_the_weights() -> None:
    assert RULE.version == RewardRule(dict(reversed(RULE.weights.items()))).version
    assert RULE.version != RewardRule({**RULE.weights, "like": 1.6}).version

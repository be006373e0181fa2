"""The learning loop with learners that note what they get."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from builders import click, impression

from core.episodes import Episode
from core.protocols import Release, ReleaseGate
from feedback.learner import LearningLoop
from feedback.registry import FileRegistry
from feedback.reward import RewardRule
from feedback.sqlite_store import SqliteEventStore


class Counter:
    """Learns how many episodes there were; its model takes `making_s`."""

    def __init__(self, component: str, *, fails: bool = False, making_s: float = 0.0) -> None:
        self.component = component
        self.seen: list[str] = []
        self._fails = fails
        self._making_s = making_s

    def learn(self, episodes: Sequence[Episode]) -> None:
        if self._fails:
            raise ValueError("cannot count")
        self.seen += [episode.impression.query.id for episode in episodes]

    def snapshot(self) -> bytes | None:
        time.sleep(self._making_s)
        return str(len(self.seen)).encode() if self.seen else None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteEventStore]:
    opened = SqliteEventStore(tmp_path / "events.sqlite")
    yield opened
    opened.close()


def loop(
    store: SqliteEventStore,
    folder: Path,
    *learners: Counter,
    gate: ReleaseGate | None = None,
    making_share: float = 1.0,
) -> LearningLoop:
    rule, registry = RewardRule({"click": 1.0}), FileRegistry(folder / "models")
    return LearningLoop(store, registry, learners, rule, window_s=10.0, batch=3, gate=gate, making_share=making_share)


class Renaming:
    """Publishes everything as `renamed`, and is overtaken by somebody else at its first decision."""

    def __init__(self, registry: FileRegistry, *, fails: bool = False) -> None:
        self._registry = registry
        self._fails = fails
        self.seen = 0
        self.asked: list[int] = []

    def learn(self, episodes: Sequence[Episode]) -> None:
        self.seen += len(episodes)

    def admit(self, made: Mapping[str, bytes], current: Release | None, now: float) -> Mapping[str, bytes]:
        if self._fails:
            raise ValueError("cannot decide")
        self.asked.append(current.number if current else 0)
        if len(self.asked) == 1:
            self._registry.publish({"other": b"by hand"})
        return {"renamed": made["count"]}


def fill(store: SqliteEventStore, count: int) -> None:
    for n in range(count):
        store.append_impression(impression(f"q{n}", time=float(n)))
        store.append_feedback([click(f"q{n}", time=n + 1.0)])


def test_each_episode_once_in_log_order_and_one_release_a_step(store: SqliteEventStore, tmp_path: Path) -> None:
    learner = Counter("count")
    learning = loop(store, tmp_path, learner)
    fill(store, 8)
    first = learning.step(now=14.5)
    assert learner.seen == [f"q{n}" for n in range(5)]
    assert (first.episodes, first.published and first.published.number) == (5, 1)
    second = learning.step(now=1e6)
    assert learner.seen == [f"q{n}" for n in range(8)]
    assert second.published is not None
    assert second.published.notes["episodes"] == "8"
    assert FileRegistry(tmp_path / "models").load(second.published, "count") == b"8"


def test_nothing_new_publishes_nothing(store: SqliteEventStore, tmp_path: Path) -> None:
    learning = loop(store, tmp_path, Counter("count"))
    assert learning.step(now=1e6).published is None
    fill(store, 2)
    learning.step(now=1e6)
    assert learning.step(now=1e6).published is None


def test_models_that_take_long_are_made_more_seldom_and_then_know_everything(
    store: SqliteEventStore, tmp_path: Path
) -> None:
    learner = Counter("count", making_s=0.1)
    learning = loop(store, tmp_path, learner, making_share=0.2)
    fill(store, 4)
    assert learning.step(now=12.5).published is not None
    resting = learning.step(now=13.5)
    assert (resting.episodes, resting.published, len(learner.seen)) == (1, None, 4)
    time.sleep(0.5)  # four times as long as it took, and more
    published = learning.step(now=13.5).published
    assert published is not None
    assert FileRegistry(tmp_path / "models").load(published, "count") == b"4"
    time.sleep(0.5)
    assert learning.step(now=13.5).published is None


def test_a_failing_learner_stops_nobody_else(store: SqliteEventStore, tmp_path: Path) -> None:
    fill(store, 2)
    step = loop(store, tmp_path, Counter("broken", fails=True), Counter("count")).step(now=1e6)
    assert step.failed == {"broken": "cannot count"}
    assert step.published is not None
    assert set(step.published.components) == {"count"}


def test_a_restart_relearns_the_same_from_the_log(store: SqliteEventStore, tmp_path: Path) -> None:
    fill(store, 7)
    before = loop(store, tmp_path, Counter("count")).step(now=1e6).published
    after = loop(store, tmp_path, Counter("count")).step(now=1e6).published
    assert before is not None
    assert after is not None
    assert before.components == after.components


def test_a_gate_decides_what_is_published_and_again_when_somebody_was_faster(
    store: SqliteEventStore, tmp_path: Path
) -> None:
    fill(store, 4)
    registry = FileRegistry(tmp_path / "models")
    registry.publish({"other": b"first"})
    gate = Renaming(registry)
    step = loop(store, tmp_path, Counter("count"), gate=gate).step(now=1e6)
    assert (gate.seen, gate.asked) == (4, [1, 2])
    assert step.published is not None
    assert set(step.published.components) == {"other", "renamed"}
    assert registry.load(step.published, "other") == b"by hand"


def test_what_cannot_be_judged_is_not_published(store: SqliteEventStore, tmp_path: Path) -> None:
    fill(store, 2)
    gate = Renaming(FileRegistry(tmp_path / "models"), fails=True)
    step = loop(store, tmp_path, Counter("count"), gate=gate).step(now=1e6)
    assert (step.published, step.failed) == (None, {"gate": "cannot decide"})

"""The learning loop: closed episodes go to every learner, and what they made is published as one release."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import Conflict
from core.protocols import EventStore, Learner, ModelRegistry, Release, ReleaseGate
from feedback.join import closed
from feedback.position_bias import PositionBias
from feedback.reward import RewardRule

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. `failed` maps a component to why it was skipped."""

    episodes: int
    late: int
    published: Release | None
    failed: Mapping[str, str]


class LearningLoop:
    """Models are a function of the log: the loop starts at its beginning, and a restart relearns from it."""

    def __init__(
        self,
        store: EventStore,
        registry: ModelRegistry,
        learners: Sequence[Learner],
        rule: RewardRule,
        *,
        window_s: float,
        keep: int = 20,
        batch: int = 2_000,
        gate: ReleaseGate | None = None,
        closers: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._store = store
        self._registry = registry
        self._learners = learners
        self._rule = rule
        self._window_s = window_s
        self._keep = keep
        self._batch = batch
        self._gate = gate
        self._closers = closers
        self._bias = PositionBias()
        self._cursor = 0
        self._episodes = 0

    def step(self, now: float) -> Step:
        """Learn from all episodes that have closed by `now`, and publish what is new."""
        failed: dict[str, str] = {}
        count = late = 0
        while (
            joined := closed(
                self._store, after=self._cursor, now=now, window_s=self._window_s, rule=self._rule, limit=self._batch
            )
        ).episodes:
            self._cursor = joined.cursor
            count += len(joined.episodes)
            late += joined.late
            episodes = self._bias.correct(joined.episodes)
            for learner in self._learners:
                try:
                    learner.learn(episodes)
                except Exception as error:
                    log.exception("%s could not learn", learner.component)
                    failed[learner.component] = str(error)
            if self._gate is not None:
                self._gate.learn(episodes)
        self._episodes += count
        return Step(count, late, self._release(failed, now) if count else None, failed)

    def close(self) -> None:
        self._store.close()
        for close in self._closers:
            close()

    def _release(self, failed: dict[str, str], now: float) -> Release | None:
        try:
            return self._publish(self._models(failed), now)
        except Exception as error:
            if self._gate is None:
                raise
            log.exception("the release gate failed; what cannot be judged is not published")
            failed["gate"] = str(error)
            return None

    def _models(self, failed: dict[str, str]) -> dict[str, bytes]:
        """What the learners that have not failed made since the last time."""
        made: dict[str, bytes] = {}
        for learner in self._learners:
            if learner.component in failed:
                continue
            try:
                if (model := learner.snapshot()) is not None:
                    made[learner.component] = model
            except Exception as error:
                log.exception("%s could not make a model", learner.component)
                failed[learner.component] = str(error)
        return made

    def _publish(self, made: Mapping[str, bytes], now: float) -> Release | None:
        notes = {"episodes": str(self._episodes), "reward": self._rule.version}
        while True:
            current = self._registry.current()
            admitted = self._gate.admit(made, current, now) if self._gate else made
            if not admitted:
                return None
            try:
                release = self._registry.publish(admitted, notes=notes, onto=current if self._gate else None)
            except Conflict:  # somebody promoted or went back meanwhile: decide again, by what is current now
                continue
            self._registry.collect(keep=self._keep)
            return release

"""The learning loop: closed episodes go to every learner, and what they made is published as one release."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from core.errors import Conflict
from core.protocols import EventStore, Learner, ModelRegistry, Release, ReleaseGate, Trainer
from feedback.client_limit import ClientLimit
from feedback.join import closed
from feedback.position_bias import PositionBias
from feedback.reward import RewardRule

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. `failed` maps a component to why it was skipped, `made` names those that have a new model.

    `capped` of the episodes taught nothing, because one customer had taught enough for the day.
    """

    episodes: int
    late: int
    published: Release | None
    failed: Mapping[str, str]
    made: Collection[str] = ()
    capped: int = 0


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
        limit: ClientLimit | None = None,
        closers: Sequence[Callable[[], None]] = (),
        making_share: float = 1.0,
    ) -> None:
        """`making_share`: of its time, what the loop may spend on making models: each service has about as much work
        to load them. Until it has rested from that, the loop learns on, and makes no models but those whose training
        has ended."""
        self._store = store
        self._registry = registry
        self._learners = learners
        self._rule = rule
        self._window_s = window_s
        self._keep = keep
        self._batch = batch
        self._gate = gate
        self._limit = limit
        self._closers = closers
        self._rest = 1 / making_share - 1  # seconds for each second of making
        self._rested = -math.inf  # on the clock of time.monotonic
        self._learned = False  # since models were made
        self._bias = PositionBias()
        self._cursor = 0
        self._episodes = 0

    def step(self, now: float) -> Step:
        """Learn from all episodes that have closed by `now`, and publish what is new, unless it is time to rest."""
        failed: dict[str, str] = {}
        count = late = capped = 0
        while (
            joined := closed(
                self._store, after=self._cursor, now=now, window_s=self._window_s, rule=self._rule, limit=self._batch
            )
        ).episodes:
            self._cursor = joined.cursor
            count += len(joined.episodes)
            late += joined.late
            admitted = self._limit.admitted(joined.episodes) if self._limit else joined.episodes
            capped += len(joined.episodes) - len(admitted)
            episodes = self._bias.correct(admitted)
            for learner in self._learners:
                try:
                    learner.learn(episodes)
                except Exception as error:
                    log.exception("%s could not learn", learner.component)
                    failed[learner.component] = str(error)
            if self._gate is not None:
                self._gate.learn(episodes)
        self._episodes += count
        self._learned |= count > 0
        began = time.monotonic()
        everybody = self._learned and began >= self._rested
        made = self._models(self._learners if everybody else self._finished(), failed)
        published = self._release(made, failed, now) if count or made else None
        if everybody:
            self._learned = False
            self._rested = time.monotonic() + self._rest * (time.monotonic() - began)
        return Step(count, late, published, failed, list(made), capped)

    def close(self) -> None:
        self._store.close()
        for close in self._closers:
            close()

    def _finished(self) -> list[Learner]:
        """Those that have trained while the loop went on."""
        return [learner for learner in self._learners if isinstance(learner, Trainer) and learner.finished]

    def _release(self, made: Mapping[str, bytes], failed: dict[str, str], now: float) -> Release | None:
        try:
            return self._publish(made, now)
        except Exception as error:
            if self._gate is None:
                raise
            log.exception("the release gate failed; what cannot be judged is not published")
            failed["gate"] = str(error)
            return None

    def _models(self, learners: Sequence[Learner], failed: dict[str, str]) -> dict[str, bytes]:
        """What those of them that have not failed made since the last time."""
        made: dict[str, bytes] = {}
        for learner in learners:
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
        notes |= {each.component: each.note for each in self._learners if isinstance(each, Trainer) and each.note}
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

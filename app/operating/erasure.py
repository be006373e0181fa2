"""Makes the service forget a user: rows of the log, what was learned from them, and the releases that hold it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.learning.policy_watch import PolicyWatch
from app.settings import Settings
from app.web.private_file import locked, replace_private
from app.web.user_ids import UserIds
from app.wiring.learning import build_learning
from app.wiring.stores import open_registry, open_store
from core.protocols import Learner, ModelRegistry
from feedback.learner import LearningLoop, Step
from ranking.behaviour_model import BehaviourLearner, BehaviourModel
from ranking.profiles import ProfilesLearner, ProfilesModel
from retrievers.engagements.customers import CustomersLearner, CustomersModel
from retrievers.q2e.memory_model import MemoryLearner, MemoryModel

# What names customers, or what they typed.
_EMPTY: Mapping[str, Callable[[], bytes]] = {
    CustomersLearner.component: lambda: CustomersModel.of([]).dump(),
    ProfilesLearner.component: lambda: ProfilesModel().dump(),
    MemoryLearner.component: lambda: MemoryModel.of({}).dump(),
    BehaviourLearner.component: lambda: BehaviourModel().dump(),
}


@dataclass(frozen=True, slots=True)
class Erasures:
    """How many there were, and how many of them the learner has taken in: two numbers in the data directory."""

    data_dir: Path

    def note(self) -> None:
        """There was another one."""
        with locked(self._file):
            made, learned = self._read()
            self._write(made + 1, learned)

    def pending(self) -> int | None:
        """The number of the newest one; None when what is learned knows of none of the erased."""
        made, learned = self._read()
        return made if made > learned else None

    def done(self, number: int) -> None:
        """All up to this one are taken in."""
        with locked(self._file):
            made, _ = self._read()
            self._write(made, number)

    def _read(self) -> tuple[int, int]:
        try:
            found = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return 0, 0
        return found["made"], found["learned"]

    def _write(self, made: int, learned: int) -> None:
        replace_private(self._file, json.dumps({"made": made, "learned": learned}).encode())

    @property
    def _file(self) -> Path:
        return self.data_dir / "erasures.json"


def erase_user(settings: Settings, user_id: str) -> int:
    """The number of rows removed; afterwards the next pass of the learner starts again from the log.

    The id is looked for as its keyed hash, and as it is: in logs of before there were hashes, and as a client id.
    """
    store, registry = open_store(settings), open_registry(settings)
    hashed = UserIds(settings.data_dir).hashed(user_id)
    assert hashed is not None
    try:
        removed = store.erase(hashed) + store.erase(user_id)
    finally:
        store.close()
    Erasures(settings.data_dir).note()
    forget_tastes(registry)
    return removed


class ForgettingLoop:
    """The learning loop, made anew from the log after each erasure."""

    def __init__(
        self,
        settings: Settings,
        *,
        wait: bool,
        watch: PolicyWatch | None = None,
        beside: Callable[[], Sequence[Learner]] = list,
    ) -> None:
        """`beside` makes learners that see every episode after the others; anew too, for they may know the erased."""
        self._settings = settings
        self._wait = wait
        self._watch = watch
        self._beside = beside
        self._registry = open_registry(settings)
        self._erasures = Erasures(settings.data_dir)
        self._loop = self._build()
        self._fresh = True

    def _build(self) -> LearningLoop:
        return build_learning(self._settings, wait=self._wait, watch=self._watch, beside=self._beside())

    def step(self, now: float) -> Step:
        """As LearningLoop's; what the first one after an erasure publishes knows of nobody erased."""
        erased = self._erasures.pending()
        if erased is None:
            self._fresh = False
            return self._loop.step(now)
        if not self._fresh:
            self._loop.close()
            if self._watch is not None:
                self._watch.forget()
            self._loop = self._build()
        self._fresh = False
        forget_tastes(self._registry)
        step = self._loop.step(now)
        # Without any search left nothing is learned, and what was learned would stay.
        _publish_empty(self._registry, {MemoryLearner.component, BehaviourLearner.component} - set(step.made))
        self._registry.collect(keep=1)
        self._erasures.done(erased)
        return step

    def close(self) -> None:
        self._loop.close()


def forget_tastes(registry: ModelRegistry) -> None:
    """No model that names customers is left; those who are still in the log are learned again with the next pass.

    Earlier releases go too: to return to one would bring back what was to be forgotten.
    """
    _publish_empty(registry, {CustomersLearner.component, ProfilesLearner.component})
    registry.collect(keep=1)


def _publish_empty(registry: ModelRegistry, components: Collection[str]) -> None:
    current = registry.current()
    known = current.components.keys() & set(components) if current else set()
    if known:
        registry.publish({name: _EMPTY[name]() for name in known}, notes={"erasure": "learned anew from the log"})

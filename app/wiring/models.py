"""From the current release to what serves: models into the arms, the policy, the ranker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from app.rollout import stored
from app.serving import Experiment, Serving
from app.settings import Settings
from app.wiring.policies import policy_of_kind
from app.wiring.rollout import staged
from bandit.coverage.learner import CoverageLearner
from bandit.plans import PlanLibrary
from core.errors import BowerbirdError
from core.protocols import ModelRegistry, Policy, Ranker, Release
from feedback.registry import usable
from ranking.learner import RankerLearner
from ranking.ltr import LambdaMart
from ranking.rrf import ReciprocalRankFusion

log = logging.getLogger(__name__)


class Models:
    """Called to load the current release. A component that is as it was is not loaded again."""

    def __init__(
        self,
        settings: Settings,
        registry: ModelRegistry,
        library: PlanLibrary,
        features: tuple[str, ...],
        loads: Mapping[str, Sequence[Callable[[bytes | None], None]]],
    ) -> None:
        """`features`: names of those that are computed. `loads`: whom to give each component's bytes."""
        self._settings = settings
        self._registry = registry
        self._library = library
        self._features = features
        self._loads = loads
        self._loaded: dict[str, str | None] = {}

    def __call__(self) -> Serving:
        release = self._registry.current()
        for component, loads in self._loads.items():
            digest = release.components.get(component) if release else None
            if self._loaded.get(component) != digest:  # most releases change a few components only
                self._load(component, loads, usable(self._registry, release, component))
                self._loaded[component] = digest
        policy = usable(self._registry, release, CoverageLearner.component)
        ranker = usable(self._registry, release, RankerLearner.component)
        served = Serving(
            release=release.number if release else 0,
            policy=self._policy(release, policy),
            ranker=_ranker(self._features, ranker),
        )
        return replace(served, experiment=self._experiment(served, policy))

    def _policy(self, release: Release | None, policy: bytes | None) -> Policy:
        if self._settings.rolls_out:
            return staged(self._settings, self._library, stored(self._registry, release))
        return policy_of_kind(self._settings.policy.kind, self._settings, self._library, policy)

    def _experiment(self, served: Serving, policy: bytes | None) -> Experiment | None:
        wanted = self._settings.experiment
        if wanted.kind == "none":
            return None
        return Experiment(
            kind=wanted.kind,
            name=wanted.name,
            first=self._variant(wanted.first, served, policy),
            second=self._variant(wanted.second, served, policy),
            share=wanted.share,
            seed=self._settings.policy.seed,
        )

    def _variant(self, name: str, served: Serving, policy: bytes | None) -> Serving:
        match name.split(":"):
            case ["policy", kind]:
                return replace(served, policy=policy_of_kind(kind, self._settings, self._library, policy))
            case ["ranker", "rrf"]:
                return replace(served, ranker=ReciprocalRankFusion())
        return served  # "ranker:learned" is what is served, if there is one

    def _load(self, component: str, loads: Sequence[Callable[[bytes | None], None]], model: bytes | None) -> None:
        try:
            for load in loads:
                load(model)
        except Exception:  # bytes of another version, say: search goes on without what was learned
            log.exception("component %s cannot be read; it is served without", component)
            for load in loads:
                load(None)


def _ranker(names: tuple[str, ...], model: bytes | None) -> Ranker:
    if model is not None:
        try:
            return LambdaMart(model, names)
        except BowerbirdError:
            log.exception("the learned ranker cannot be used; reciprocal rank fusion serves")
    return ReciprocalRankFusion()

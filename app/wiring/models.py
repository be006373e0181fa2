"""From the current release to what serves: models into the arms, the policy, the ranker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from app.learning.ranker_trial import CANDIDATE, trial_name
from app.learning.rollout import stored
from app.search.gaps import Gaps
from app.search.serving import Experiment, Serving
from app.settings import Settings
from app.wiring.policies import policy_of_kind
from app.wiring.rollout import staged
from bandit.coverage.learner import CoverageLearner
from bandit.plans import PlanLibrary
from core.errors import BowerbirdError
from core.protocols import ModelRegistry, Policy, Ranker, Release
from feedback.registry import usable
from ranking.features.feature import Schema
from ranking.learner import RankerLearner
from ranking.ltr import LambdaMart
from ranking.rrf import ReciprocalRankFusion

log = logging.getLogger(__name__)

_MOST_S = 0.05  # that each part of a release waits for searches to end


class Models:
    """Called to load the current release. A component that is as it was is not loaded again."""

    def __init__(
        self,
        settings: Settings,
        registry: ModelRegistry,
        library: PlanLibrary,
        schema: Schema,
        loads: Mapping[str, Sequence[Callable[[bytes | None], None]]],
        before: Models | None = None,
        gaps: Gaps | None = None,
    ) -> None:
        """`schema` of the features that are computed. `loads`: whom to give each component's bytes. What they hold
        from `before` is not loaded again. Each is loaded in one of the `gaps` between searches."""
        self._settings = settings
        self._registry = registry
        self._library = library
        self._schema = schema
        self._loads = loads
        self._gaps = gaps or Gaps()
        self._loaded: dict[str, str | None] = before._loaded if before else {}
        self._rankers: dict[bytes, LambdaMart] = before._rankers if before else {}  # of the last release, by model

    def __call__(self) -> Serving:
        release = self._registry.current()
        for component, loads in self._loads.items():
            digest = release.components.get(component) if release else None
            if self._loaded.get(component) != digest:  # most releases change a few components only
                self._load(component, loads, usable(self._registry, release, component))
                self._loaded[component] = digest
        self._gaps.wait(_MOST_S)
        policy = usable(self._registry, release, CoverageLearner.component)
        ranker = usable(self._registry, release, RankerLearner.component)
        candidate = usable(self._registry, release, CANDIDATE)
        served = Serving(
            release=release.number if release else 0,
            policy=self._policy(release, policy),
            ranker=self._ranker(ranker),
            components=release.components if release else {},
        )
        trial = self._trial(served, candidate)
        self._rankers = {model: kept for model, kept in self._rankers.items() if model in (ranker, candidate)}
        return replace(served, experiment=trial or self._experiment(served, policy))

    def _policy(self, release: Release | None, policy: bytes | None) -> Policy:
        if self._settings.rolls_out:
            return staged(self._settings, self._library, stored(self._registry, release))
        return policy_of_kind(self._settings.policy.kind, self._settings, self._library, policy)

    def _trial(self, served: Serving, candidate: bytes | None) -> Experiment | None:
        """The current ranking model against the candidate; a candidate that cannot serve gets no searches."""
        wanted = self._settings.ranking
        if wanted.trial == "none" or not candidate:
            return None
        second = replace(served, ranker=self._ranker(candidate))
        seed = self._settings.policy.seed
        return Experiment(wanted.trial, trial_name(candidate), served, second, wanted.trial_share, seed)

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

    def _ranker(self, model: bytes | None) -> Ranker:
        """Most releases have the ranker of the one before, and its trees take long to read."""
        if model is not None and model not in self._rankers:
            try:
                self._rankers[model] = LambdaMart(model, self._schema)
            except BowerbirdError:
                log.exception("the learned ranker cannot be used; reciprocal rank fusion serves")
        return self._rankers.get(model or b"") or ReciprocalRankFusion()

    def _load(self, component: str, loads: Sequence[Callable[[bytes | None], None]], model: bytes | None) -> None:
        try:
            for load in loads:
                self._gaps.wait(_MOST_S)
                load(model)
        except Exception:  # bytes of another version, say: search goes on without what was learned
            log.exception("component %s cannot be read; it is served without", component)
            for load in loads:
                load(None)

"""From the current release to what serves: models into the arms, the policy, the ranker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from app.experiment import Experiment
from app.pipeline import Serving
from app.settings import Settings
from bandit.adf import AdfModel, VwAdfPolicy
from bandit.coverage import CoverageModel, CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.learner import CoverageLearner
from bandit.misguided import MisguidedPolicy
from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from bandit.warmup import WarmupPolicy
from core.errors import BowerbirdError
from core.protocols import ModelRegistry, Policy, Ranker, Release
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
                self._load(component, loads, _component(self._registry, release, component))
                self._loaded[component] = digest
        policy = _component(self._registry, release, CoverageLearner.component)
        ranker = _component(self._registry, release, RankerLearner.component)
        served = Serving(
            release=release.number if release else 0,
            policy=_policy(self._settings.policy.kind, self._settings, self._library, policy),
            ranker=_ranker(self._features, ranker),
        )
        return replace(served, experiment=self._experiment(served, policy))

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
                return replace(served, policy=_policy(kind, self._settings, self._library, policy))
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


def _policy(kind: str, settings: Settings, library: PlanLibrary, model: bytes | None) -> Policy:
    seed = settings.policy.seed
    match kind:
        case "fixed":
            return FixedPolicy(library, settings.retrieval.default_plan)
        case "uniform":
            return UniformPolicy(library, seed)
    if model is not None:
        try:
            learned, plans = learned_policy(model, seed=seed)
            if isinstance(learned, VwAdfPolicy) != (kind == "vw_adf"):
                log.warning("the learned policy is not of kind %s; that one serves when it has learned", kind)
            elif plans != library:
                log.warning(
                    "the policy was learned for other plans than are configured; it serves when it has relearned"
                )
            else:
                return MisguidedPolicy(library, learned, seed=seed) if kind == "misguided" else learned
        except BowerbirdError:
            log.exception("the learned policy cannot be used; the default plan serves")
    return warmup(settings, library)


def learned_policy(model: bytes, *, seed: int) -> tuple[Policy, PlanLibrary]:
    """The policy of these bytes, of whichever kind wrote them, and the plans that it draws from; or CorruptModel."""
    if AdfModel.wrote(model):
        adf = AdfModel.load(model)
        return VwAdfPolicy(adf, seed=seed), adf.library
    coverage = CoverageModel.load(model)
    return CoveragePolicy(coverage, seed=seed), coverage.library


def warmup(settings: Settings, library: PlanLibrary) -> Policy:
    return WarmupPolicy(library, settings.policy.seed, settings.policy.explore)


def _ranker(names: tuple[str, ...], model: bytes | None) -> Ranker:
    if model is not None:
        try:
            return LambdaMart(model, names)
        except BowerbirdError:
            log.exception("the learned ranker cannot be used; reciprocal rank fusion serves")
    return ReciprocalRankFusion()


def _component(registry: ModelRegistry, release: Release | None, name: str) -> bytes | None:
    """The component's bytes; None when there is none, or when it is damaged, which is logged and served without."""
    if release is None or name not in release.components:
        return None
    try:
        return registry.load(release, name)
    except BowerbirdError:
        log.exception("component %s of release %d cannot be used", name, release.number)
        return None

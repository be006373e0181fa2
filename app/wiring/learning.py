"""The learning loop over the log: one learner for each component of a release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.learning.policy_watch import PolicyWatch
from app.learning.unusable import UnusableLearner
from app.settings import Settings
from app.wiring.arms import feature_schema
from app.wiring.judged import judgments
from app.wiring.plans import plan_library
from app.wiring.policies import policy_of_kind
from app.wiring.rollout import release_gate
from app.wiring.stores import open_catalogue, open_embeddings, open_registry, open_store
from bandit.adf.learner import AdfLearner
from bandit.coverage.learner import CoverageLearner
from bandit.terms import Terms
from core.errors import InvalidConfig
from core.protocols import Learner, ModelRegistry, Policy
from feedback.client_limit import ClientLimit
from feedback.learner import LearningLoop
from feedback.registry import usable
from feedback.reward import RewardRule
from ranking.behaviour_model import BehaviourLearner
from ranking.learner import RankerLearner
from ranking.profiles import ProfilesLearner
from ranking.training.parameters import Parameters
from retrievers.engagements.customers import CustomersLearner
from retrievers.engagements.related_model import RelatedLearner
from retrievers.impact.expansion_model import ExpansionLearner
from retrievers.popularity.popularity_model import PopularityLearner
from retrievers.q2e.memory_model import MemoryLearner
from retrievers.structure.readings_model import ReadingsLearner
from retrievers.vectors.adapter_model import QueryAdapterLearner

_DAY_S = 86_400.0


def build_learning(
    settings: Settings,
    *,
    state: Path | None = None,
    wait: bool = True,
    watch: PolicyWatch | None = None,
    beside: Sequence[Learner] = (),
) -> LearningLoop:
    """The learning loop over the log in `state`, by default the data directory.

    Without `wait`, the ranker trains while the loop goes on, and models are made at the pace that is set, not with
    every step; a ranker that cannot be made is a trouble then, with which the others learn on, and otherwise an
    InvalidConfig. `watch` is shown every episode, and so are those `beside`, after the others.
    """
    registry = open_registry(settings, state)
    closers: list[Callable[[], None]] = []
    ranker = _ranker(settings, registry, closers, wait=wait)
    catalogue = open_catalogue(settings)  # what was clicked says more when one knows what it is
    closers.append(catalogue.close)
    learners: list[Learner] = [
        MemoryLearner(half_life_s=settings.memory.half_life_days * _DAY_S, client_cap=settings.memory.client_cap),
        PopularityLearner(
            half_life_s=settings.popularity.half_life_days * _DAY_S,
            trend_half_life_s=settings.popularity.trend_half_life_days * _DAY_S,
            client_cap=settings.popularity.client_cap,
        ),
        ReadingsLearner(item=catalogue.get, half_life_s=settings.structured.half_life_days * _DAY_S),
        ExpansionLearner(
            catalogue.get,
            half_life_s=settings.sparse.half_life_days * _DAY_S,
            client_cap=settings.memory.client_cap,
        ),
        RelatedLearner(horizon_s=settings.related.horizon_days * _DAY_S),
        CustomersLearner(half_life_s=settings.personal.half_life_days * _DAY_S),
        BehaviourLearner(half_life_s=settings.memory.half_life_days * _DAY_S, client_cap=settings.memory.client_cap),
        ProfilesLearner(
            catalogue.get,
            brand=settings.ranking.brand_attribute,
            half_life_s=settings.personal.half_life_days * _DAY_S,
        ),
        ranker,
    ]
    if settings.vector.adapter:
        learners.append(
            QueryAdapterLearner(
                catalogue.get,
                lambda: open_embeddings(settings),
                half_life_s=settings.vector.half_life_days * _DAY_S,
                client_cap=settings.memory.client_cap,
            )
        )
    if settings.learns_policy:
        learners.append(_policy_learner(settings))
    if watch is not None:
        learners.append(watch)
    rule = RewardRule(settings.feedback.weights)
    return LearningLoop(
        open_store(settings, state),
        registry,
        [*learners, *beside],
        rule,
        window_s=settings.feedback.window_s,
        keep=settings.learner.keep_releases,
        gate=release_gate(settings, registry),
        limit=ClientLimit(settings.feedback.client_cap),
        closers=closers,
        making_share=1.0 if wait else settings.learner.making_share,
    )


def build_watch(settings: Settings) -> PolicyWatch:
    """Of the policy of the current release."""
    registry, library = open_registry(settings), plan_library(settings)

    def current() -> Policy:
        model = usable(registry, registry.current(), CoverageLearner.component)
        return policy_of_kind(settings.policy.kind, settings, library, model)

    return PolicyWatch(current)


def ranker_learner(settings: Settings, registry: ModelRegistry, *, wait: bool = True) -> RankerLearner:
    """As configured; it compares with what is current in the registry."""
    wanted = settings.ranking
    return RankerLearner(
        feature_schema(),
        min_clicked=wanted.min_clicked,
        retrain_every=wanted.retrain_every,
        max_episodes=wanted.max_episodes,
        parameters=Parameters.of(wanted.parameters),
        memory_mib=wanted.memory_mib,
        judgments=judgments(settings),
        current=lambda: usable(registry, registry.current(), RankerLearner.component),
        wait=wait,
    )


def _ranker(settings: Settings, registry: ModelRegistry, closers: list[Callable[[], None]], *, wait: bool) -> Learner:
    try:
        made = ranker_learner(settings, registry, wait=wait)
    except InvalidConfig as error:
        if wait:
            raise
        return UnusableLearner(RankerLearner.component, error)
    closers.append(made.close)
    return made


def _policy_learner(settings: Settings) -> Learner:
    wanted = settings.policy
    adf = wanted.kind == "vw_adf"
    return (AdfLearner if adf else CoverageLearner)(
        plan_library(settings),
        wanted.seed,
        Terms(wanted.min_clicked, wanted.cost_per_ms, wanted.gamma, wanted.floor),
    )

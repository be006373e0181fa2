"""The learning loop over the log: one learner for each component of a release."""

from __future__ import annotations

from pathlib import Path

from app.settings import Settings
from app.wiring.plans import plan_library
from app.wiring.rollout import build_gate
from app.wiring.stores import open_catalogue, open_embeddings, open_registry, open_store
from bandit.adf.learner import AdfLearner
from bandit.coverage.learner import CoverageLearner
from core.protocols import Learner
from feedback.learner import LearningLoop
from feedback.reward import RewardRule
from ranking.learner import RankerLearner
from retrievers.engagements.customers import CustomersLearner
from retrievers.engagements.related_model import RelatedLearner
from retrievers.impact.expansion_model import ExpansionLearner
from retrievers.popularity.popularity_model import PopularityLearner
from retrievers.q2e.memory_model import MemoryLearner
from retrievers.structure.readings_model import ReadingsLearner
from retrievers.vectors.adapter_model import QueryAdapterLearner

_DAY_S = 86_400.0


def build_learning(settings: Settings, *, state: Path | None = None) -> LearningLoop:
    """The learning loop over the log in `state`, by default the data directory."""
    state = state or settings.data_dir
    catalogue = open_catalogue(settings)  # what was clicked says more when one knows what it is
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
        RankerLearner(
            min_clicked=settings.ranking.min_clicked,
            retrain_every=settings.ranking.retrain_every,
            max_episodes=settings.ranking.max_episodes,
        ),
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
    rule = RewardRule(settings.feedback.weights)
    registry = open_registry(state)
    return LearningLoop(
        open_store(state),
        registry,
        learners,
        rule,
        window_s=settings.feedback.window_s,
        keep=settings.learner.keep_releases,
        gate=build_gate(settings, registry) if settings.rolls_out else None,
        closers=[catalogue.close],
    )


def _policy_learner(settings: Settings) -> Learner:
    wanted = settings.policy
    adf = wanted.kind == "vw_adf"
    return (AdfLearner if adf else CoverageLearner)(
        plan_library(settings),
        wanted.seed,
        min_clicked=wanted.min_clicked,
        cost_per_ms=wanted.cost_per_ms,
        gamma=wanted.gamma,
        floor=wanted.floor,
    )

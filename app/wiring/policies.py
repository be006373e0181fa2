"""Policies as configured, by kind, and from a model's bytes."""

from __future__ import annotations

import logging

from app.settings import Settings
from bandit.coverage import CoverageModel, CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from bandit.warmup import WarmupPolicy
from core.errors import BowerbirdError
from core.protocols import Policy

log = logging.getLogger(__name__)


def policy_of_kind(kind: str, settings: Settings, library: PlanLibrary, model: bytes | None) -> Policy:
    match kind:
        case "fixed":
            return FixedPolicy(library, settings.retrieval.default_plan)
        case "uniform":
            return UniformPolicy(library, settings.policy.seed)
    return learned_policy(settings, library, model)


def learned_policy(settings: Settings, library: PlanLibrary, model: bytes | None) -> Policy:
    """From its bytes; the warm-up policy where there are none, or none that fit the library."""
    if model:
        try:
            learned = CoverageModel.load(model)
            if learned.library == library:
                return CoveragePolicy(learned, seed=settings.policy.seed)
            log.warning("the policy was learned for other plans than are configured; it serves when it has relearned")
        except BowerbirdError:
            log.exception("the learned policy cannot be used; the default plan serves")
    return warmup(settings, library)


def warmup(settings: Settings, library: PlanLibrary) -> Policy:
    return WarmupPolicy(library, settings.policy.seed, settings.policy.explore)

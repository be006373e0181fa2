"""Policies as configured, by kind, and from a model's bytes."""

from __future__ import annotations

import logging

from app.settings import Settings
from bandit.adf.policy import AdfModel, VwAdfPolicy
from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.misguided import MisguidedPolicy
from bandit.plans import PlanLibrary
from bandit.rollouts.staged import StagedPolicy
from bandit.uniform import UniformPolicy
from bandit.warmup import WarmupPolicy
from core.errors import BowerbirdError
from core.protocols import Policy

log = logging.getLogger(__name__)


def policy_of_kind(kind: str, settings: Settings, library: PlanLibrary, model: bytes | None) -> Policy:
    """Kinds that learn: from the model's bytes, or the warm-up policy where there are none that fit."""
    match kind:
        case "fixed":
            return FixedPolicy(library, settings.retrieval.default_plan)
        case "uniform":
            return UniformPolicy(library, settings.policy.seed)
    learned = _fitting(kind, settings, library, model) if model else None
    if learned is None:
        return warmup(settings, library)
    return MisguidedPolicy(library, learned, seed=settings.policy.seed) if kind == "misguided" else learned


def learned_policy(settings: Settings, library: PlanLibrary, model: bytes | None) -> Policy:
    """The policy of the configured kind, which learns."""
    return policy_of_kind(settings.policy.kind, settings, library, model)


def policy_from(model: bytes, *, seed: int) -> tuple[Policy, PlanLibrary]:
    """The policy of these bytes, of whichever kind wrote them, and the plans that it draws from; or CorruptModel."""
    if AdfModel.wrote(model):
        adf = AdfModel.load(model)
        return VwAdfPolicy(adf, seed=seed), adf.library
    coverage = CoverageModel.load(model)
    return CoveragePolicy(coverage, seed=seed), coverage.library


def warmup(settings: Settings, library: PlanLibrary) -> Policy:
    return WarmupPolicy(library, settings.policy.seed, settings.policy.explore)


def named_policies(settings: Settings, library: PlanLibrary, served: Policy) -> dict[str, Policy]:
    """What a preview may ask for by name: what serves and, while it is rolled out, each of its parts; and baselines."""
    parts = {role: policy for role, (policy, _) in served.parts.items()} if isinstance(served, StagedPolicy) else {}
    return {
        "served": served,
        **parts,
        "warmup": warmup(settings, library),
        "uniform": UniformPolicy(library, settings.policy.seed),
        "fixed": FixedPolicy(library, settings.retrieval.default_plan),
    }


def _fitting(kind: str, settings: Settings, library: PlanLibrary, model: bytes) -> Policy | None:
    """None, which the log explains, when the bytes are damaged, of another kind, or for other plans."""
    try:
        learned, plans = policy_from(model, seed=settings.policy.seed)
    except BowerbirdError:
        log.exception("the learned policy cannot be used; the default plan serves")
        return None
    if isinstance(learned, VwAdfPolicy) != (kind == "vw_adf"):
        log.warning("the learned policy is not of kind %s; that one serves when it has learned", kind)
        return None
    if plans != library:
        log.warning("the policy was learned for other plans than are configured; it serves when it has relearned")
        return None
    return learned

"""Rollout as configured: the rules, the release gate of the learner, and the policy that serves by stages."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from app.learning.gates import Gates
from app.learning.ranker_trial import RankerTrial
from app.learning.rollout import RolloutGate, Stored
from app.settings import Settings
from app.wiring.plans import plan_library
from app.wiring.policies import learned_policy, warmup
from bandit.plans import PlanLibrary
from bandit.rollout import Rules
from bandit.rollouts.guardrails import Limits
from bandit.rollouts.staged import StagedPolicy
from core.protocols import ModelRegistry, ReleaseGate


def rules(settings: Settings) -> Rules:
    wanted = settings.rollout
    return Rules(
        stages=tuple(wanted.stages),
        control=wanted.control,
        gate_searches=wanted.gate_searches,
        retrain_searches=wanted.retrain_searches,
        stage_searches=wanted.stage_searches,
        max_searches=wanted.max_searches,
        margin=wanted.margin,
        limits=Limits(wanted.empty_margin, wanted.slow_factor, wanted.alpha),
    )


def build_gate(settings: Settings, registry: ModelRegistry) -> RolloutGate:
    library = plan_library(settings)
    policy_of = partial(learned_policy, settings, library)
    return RolloutGate(registry, policy_of, library, rules(settings), seed=settings.policy.seed)


def release_gate(settings: Settings, registry: ModelRegistry) -> ReleaseGate | None:
    """All that has to be passed on the way to a release; None where everything that was made is published."""
    staged_only = settings.rolls_out and settings.rollout.stages
    gates: list[ReleaseGate] = [build_gate(settings, registry)] if staged_only else []
    if settings.ranking.trial != "none":
        gates.append(RankerTrial(registry, searches=settings.ranking.trial_searches))
    return Gates(gates) if gates else None


def staged(settings: Settings, library: PlanLibrary, state: Stored) -> StagedPolicy:
    """What serves of a release: a candidate that does not fit the configured plans serves nobody."""
    whole = StagedPolicy(
        champion=learned_policy(settings, library, state.policy),
        control=warmup(settings, library),
        control_share=settings.rollout.control,
    )
    share = state.rollout.share(rules(settings))
    candidate = learned_policy(settings, library, state.candidate) if share else whole.control
    if candidate.version != state.rollout.candidate:
        return whole
    return replace(whole, candidate=candidate, share=share)

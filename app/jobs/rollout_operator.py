"""What an operator does about a rollout: look, move the candidate up, or take it back."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.jobs.policy_value import newest_episodes
from app.learning.rollout import CANDIDATE, NO_MODEL, POLICY, PREVIOUS, Stored, changes, encoded
from app.settings import Settings
from app.wiring.plans import plan_library
from app.wiring.policies import learned_policy
from app.wiring.rollout import build_gate, rules, staged
from app.wiring.stores import open_registry
from bandit.rollout import Decision, Rollout, drop, promote, return_to
from bandit.rollouts.guardrails import Group, guardrails
from bandit.rollouts.staged import StagedPolicy
from core.errors import Conflict, InvalidInput, NotFound
from core.protocols import Release

_NEWEST = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The rollout of the current release, and the policies that serve by it."""

    rollout: Rollout
    serving: StagedPolicy


def standing(settings: Settings) -> Standing:
    """As the current release has it; InvalidInput where rollout is off."""
    _check_enabled(settings)
    registry = open_registry(settings)
    before = build_gate(settings, registry).stored(registry.current())
    return Standing(before.rollout, staged(settings, plan_library(settings), before))


def group_figures(settings: Settings) -> dict[str, Group]:
    """Role -> the figures of its searches since the stage began, from the newest 100,000 closed ones."""
    found = standing(settings)
    gate = build_gate(settings, open_registry(settings))
    gate.learn(newest_episodes(settings, _NEWEST))
    return gate.figures({role: policy.version for role, (policy, _) in found.serving.parts.items()}, found.rollout)


def promote_candidate(settings: Settings, *, force: bool) -> Decision:
    """One stage up. Without `force`, Conflict unless the gate lets it pass or, later, no guardrail is broken."""
    before, current = _with_candidate(settings)
    now, wanted = time.time(), rules(settings)
    if force:
        after = promote(before.rollout, wanted, "The operator promoted it by force.", now=now)
    else:
        after = _promoted_by_evidence(settings, before, now)
    return _publish(settings, changes(before, after), after, current)


def take_back(settings: Settings) -> Decision:
    """Drop the candidate; without one, return to the champion before. NotFound when there is neither."""
    before, current = _stored(settings)
    now = time.time()
    if before.rollout.candidate:
        after = drop(before.rollout, "The operator took it back.", now=now)
        return _publish(settings, changes(before, after), after, current)
    if current is None or PREVIOUS not in current.components:
        raise NotFound("nothing_to_take_back", "There is no candidate and no earlier champion.", "Nothing to do.")
    version = learned_policy(settings, plan_library(settings), before.previous).version
    after = return_to(before.rollout, version, f"The operator returned to {version}.", now=now)
    models = {POLICY: before.previous, PREVIOUS: before.policy, CANDIDATE: NO_MODEL}
    return _publish(settings, {**models, **encoded(after)}, after, current)


def _promoted_by_evidence(settings: Settings, before: Stored, now: float) -> Rollout:
    gate = build_gate(settings, open_registry(settings))
    gate.learn(newest_episodes(settings, _NEWEST))
    if not before.rollout.stage:
        after = gate.decide(before, now)
        if after == before.rollout:
            raise _refused("The gate cannot tell yet: too few searches that it has not learned from.")
        if after.decisions[-1].what == "dropped":
            raise _refused(f"The gate refuses it. {after.decisions[-1].reason}")
        return after
    candidate, champion = gate.groups(before.rollout)
    if broken := guardrails(candidate, champion, rules(settings).limits):
        raise _refused(f"A guardrail is broken. {broken}")
    if not (candidate.large_enough and champion.large_enough):
        raise _refused(f"Too few clients to tell: {candidate.clients}, and the champion's {champion.clients}.")
    return promote(before.rollout, rules(settings), "The operator promoted it; no guardrail is broken.", now=now)


def _stored(settings: Settings) -> tuple[Stored, Release | None]:
    _check_enabled(settings)
    registry = open_registry(settings)
    current = registry.current()
    return build_gate(settings, registry).stored(current), current


def _with_candidate(settings: Settings) -> tuple[Stored, Release | None]:
    before, current = _stored(settings)
    if not before.rollout.candidate:
        raise NotFound("no_candidate", "There is no candidate.", "The learner offers one when it has learned enough.")
    return before, current


def _publish(settings: Settings, made: dict[str, bytes], after: Rollout, onto: Release | None) -> Decision:
    open_registry(settings).publish(made, notes={"by": "operator"}, onto=onto)
    return after.decisions[-1]


def _check_enabled(settings: Settings) -> None:
    if not settings.rolls_out:
        raise InvalidInput(
            "rollout_off",
            "rollout.enabled is false, or policy.kind is not 'coverage': there are no stages.",
            "Go back with `bowerbird policy rollback NUMBER`, or turn the rollout on.",
        )


def _refused(message: str) -> Conflict:
    return Conflict("not_promoted", message, "Wait for more searches, or use --force.")

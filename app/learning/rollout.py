"""Connects the rollout of policies with what holds them: models as components of a release, evidence from the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bandit.ope import Evidence, Report, assess, evidence_from
from bandit.plans import PlanLibrary
from bandit.rollout import Rollout, Rules, advance, drop, judge, offer, watch
from bandit.rollouts.gate import Outcome, Verdict, gate, latency, lighter_gate
from bandit.rollouts.guardrails import Group, group, groups
from bandit.rollouts.trial_log import TrialLog, timed
from core.episodes import Episode
from core.protocols import ModelRegistry, Policy, Release
from feedback.registry import usable

log = logging.getLogger(__name__)

POLICY, CANDIDATE, PREVIOUS, ROLLOUT = "policy", "policy.candidate", "policy.previous", "rollout"
PATIENCE = 10  # the last look at the gate is at so many times the searches of the first
NO_MODEL = b""  # a registry cannot forget a component; an empty one means: none


@dataclass(frozen=True, slots=True)
class Stored:
    """What a release says of the rollout; models are empty where there is none."""

    rollout: Rollout = field(default_factory=Rollout)
    policy: bytes = NO_MODEL
    candidate: bytes = NO_MODEL
    previous: bytes = NO_MODEL


def stored(registry: ModelRegistry, release: Release | None) -> Stored:
    """Of that release; what is damaged counts as absent, and is logged."""
    names = (POLICY, CANDIDATE, PREVIOUS, ROLLOUT)
    policy, candidate, previous, rollout = (usable(registry, release, name) or NO_MODEL for name in names)
    return Stored(_read(rollout), policy, candidate, previous)


def encoded(rollout: Rollout) -> dict[str, bytes]:
    """The component that says how the rollout stands."""
    return {ROLLOUT: json.dumps(rollout.to_json()).encode()}


def changes(before: Stored, after: Rollout) -> dict[str, bytes]:
    """The components to publish when the rollout has become `after`, which offers nothing new."""
    made = encoded(after)
    if before.rollout.candidate and not after.candidate:
        made[CANDIDATE] = NO_MODEL
        if after.champion == before.rollout.candidate:
            made |= {POLICY: before.candidate, PREVIOUS: before.policy}
    return made


class RolloutGate:
    """The release gate of the learning loop: learned policies become candidates, and what follows is decided here.

    While one candidate is on its way, newer versions wait; only the newest is kept. `policy_of` makes the policy that
    serves for a model's bytes, which is the control's where they are empty or unusable.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        policy_of: Callable[[bytes], Policy],
        library: PlanLibrary,
        rules: Rules,
        *,
        seed: int,
    ) -> None:
        self._registry = registry
        self._policy_of = policy_of
        self._library = library
        self._rules = rules
        self._seed = seed
        self._log = TrialLog(2 * PATIENCE * max(rules.gate_searches, rules.retrain_searches))
        self._waiting: tuple[bytes, float] | None = None
        self._looked: tuple[str, int] = ("", 0)

    def learn(self, episodes: Sequence[Episode]) -> None:
        self._log.add(episodes)

    def admit(self, made: Mapping[str, bytes], current: Release | None, now: float) -> Mapping[str, bytes]:
        others = {name: model for name, model in made.items() if name != POLICY}
        if POLICY in made:
            self._waiting = made[POLICY], self._log.newest
        before = self.stored(current)
        watched = self._watch(before, now)
        if watched != before.rollout:
            models = {POLICY: NO_MODEL, PREVIOUS: before.policy, CANDIDATE: NO_MODEL}
            return {**others, **models, **encoded(watched)}
        if not before.rollout.candidate:
            return {**others, **self._offer(before)}
        after = self.decide(before, now)
        return others if after == before.rollout else {**others, **changes(before, after)}

    def stored(self, current: Release | None) -> Stored:
        """Of the release, with the champion that really serves: a model for other plans serves nobody."""
        found = stored(self._registry, current)
        champion = self._policy_of(found.policy).version
        return replace(found, rollout=replace(found.rollout, champion=champion))

    def decide(self, before: Stored, now: float) -> Rollout:
        """What becomes of the candidate, by the evidence of the log."""
        rollout = before.rollout
        candidate = self._policy_of(before.candidate)
        if candidate.version != rollout.candidate:
            return drop(rollout, "It cannot serve: it was made for other plans or settings.", now=now)
        if rollout.stage:
            return advance(rollout, *self.groups(rollout), self._rules, now=now)
        verdict = self._look(rollout, candidate)
        return rollout if verdict is None else judge(rollout, verdict, self._rules, now=now)

    def _watch(self, before: Stored, now: float) -> Rollout:
        """The champion beside the control, while no candidate divides the rest of the clients."""
        rollout, control = before.rollout, self._policy_of(NO_MODEL).version
        if rollout.stage or rollout.champion == control:
            return rollout
        since = rollout.reigning_since
        champion, beside = self._log.seen_of_others(control, since=since), self._log.seen(control, since=since)
        return watch(rollout, *groups(champion, beside, self._rules.limits), self._rules, control, now=now)

    def groups(self, rollout: Rollout) -> tuple[Group, Group]:
        """(candidate, champion) since the stage began."""
        candidate, champion = (
            self._log.seen(version, since=rollout.began) for version in (rollout.candidate, rollout.champion)
        )
        return groups(candidate, champion, self._rules.limits)

    def figures(self, versions: Mapping[str, str], rollout: Rollout) -> dict[str, Group]:
        """Role -> figures since the stage began, from role -> version."""
        return {role: group(self._log.seen(version, since=rollout.began)) for role, version in versions.items()}

    def _offer(self, before: Stored) -> dict[str, bytes]:
        """The newest version goes to the gate, unless it serves, or was sent away before."""
        if self._waiting is None:
            return {}
        model, learned_until = self._waiting
        version = self._policy_of(model).version
        gone = {each.policy for each in before.rollout.decisions if each.what in ("dropped", "rolled back")}
        if version in {before.rollout.champion, self._policy_of(NO_MODEL).version, *gone}:
            return {}
        offered = offer(before.rollout, before.rollout.champion, version, learned_until=learned_until)
        return {CANDIDATE: model, **encoded(offered)}

    def _look(self, rollout: Rollout, candidate: Policy) -> Verdict | None:
        """The gate's verdict when enough new searches have come since the last look: looks are at doubling sizes."""
        rules = self._rules
        first = rules.retrain_searches if rollout.retrained else rules.gate_searches
        fresh = self._log.after(rollout.began, policy=rollout.champion)
        last = len(fresh) >= PATIENCE * first or self._log.forgot(rollout.began)
        seen = self._looked[1] if self._looked[0] == rollout.candidate else 0
        if not last and len(fresh) < max(first, 2 * seen):
            return None
        verdict = self._verdict(rollout, candidate, fresh, last_look=last)
        if verdict.outcome is Outcome.WAIT:
            self._looked = rollout.candidate, len(fresh)
        return verdict

    def _verdict(self, rollout: Rollout, candidate: Policy, fresh: Sequence[Episode], *, last_look: bool) -> Verdict:
        report, slow = self._report(fresh, candidate), self._rules.limits.slow_factor
        took = latency(self._evidence(timed(fresh), candidate))
        if not rollout.retrained:
            return gate(report, took, slow_factor=slow, last_look=last_look)
        past = self._report(self._log.until(rollout.began), candidate)
        return lighter_gate(report, past, took, margin=self._rules.margin, slow_factor=slow, last_look=last_look)

    def _report(self, episodes: Sequence[Episode], candidate: Policy) -> Report:
        return assess(self._evidence(episodes, candidate), seed=self._seed)

    def _evidence(self, episodes: Sequence[Episode], candidate: Policy) -> Evidence:
        return evidence_from(episodes, candidate, library=self._library)


def _read(raw: bytes) -> Rollout:
    if not raw:
        return Rollout()
    try:
        return Rollout.from_json(json.loads(raw))
    except (ValueError, KeyError, TypeError):  # of another version, say: then no candidate is on its way
        log.exception("the state of the rollout cannot be read; it begins anew")
        return Rollout()

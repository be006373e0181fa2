"""The way of a new policy: gate, a few clients, more, all but the control; or back, with the reason in a sentence.

Stage 0 is the gate: the candidate serves nobody. Stage n is the n-th of the growing shares. Everything here is a
function from one Rollout to the next; who holds the models' bytes is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bandit.rollouts.gate import Outcome, Verdict
from bandit.rollouts.guardrails import Group, Limits, difference, figures, guardrails
from core.errors import InvalidConfig

_DECISIONS_KEPT = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """`stages`: the candidate's shares of the clients, rising; none where nothing becomes a candidate. `control`: the
    permanent share of the default plan.

    A stage takes `stage_searches` of the candidate's searches at least; after `max_searches` without proof the
    candidate is dropped. `gate_searches` and, for retrained versions, `retrain_searches` are the searches for the first
    look at the gate; the last look is at ten times as many. `margin` is the reward that a retrained version may lose.
    """

    stages: tuple[float, ...]
    control: float
    gate_searches: int
    retrain_searches: int
    stage_searches: int
    max_searches: int
    margin: float
    limits: Limits

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in zip((0.0, *self.stages), self.stages, strict=False))
        if not (rising and self.control >= 0 and max(self.stages, default=0.0) + self.control <= 1):
            message = f"The stages are {list(self.stages)} beside a control share of {self.control}."
            raise InvalidConfig("bad_stages", message, "Give rising shares above 0 that leave room for the control.")


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a policy version, why, and by which figures. `what`: passed, promoted, shipped, dropped,
    rolled back."""

    time: float
    what: str
    policy: str
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rollout:
    """`champion` and `candidate` are policy versions, `candidate` empty when there is none.

    `began`: when the stage began; at the gate, the time of the newest search that the candidate has learned from.
    """

    champion: str = ""
    candidate: str = ""
    stage: int = 0
    began: float = 0.0
    decisions: tuple[Decision, ...] = ()

    @property
    def retrained(self) -> bool:
        """Whether the candidate is of the champion's kind: such versions pass the gate in its lighter form."""
        return self.candidate.split("-")[0] == self.champion.split("-")[0]

    @property
    def reigning_since(self) -> float:
        """When a champion was last crowned or returned to; retrained versions that were shipped since count as it.

        The time of the oldest decision that is still known, if none of these is; 0 without any.
        """
        times = [each.time for each in self.decisions if each.what not in ("shipped", "dropped")]
        return times[-1] if times else min((each.time for each in self.decisions), default=0.0)

    def share(self, rules: Rules) -> float:
        """Of the clients, that get the candidate."""
        return (
            rules.stages[min(self.stage, len(rules.stages)) - 1]
            if self.candidate and self.stage and rules.stages
            else 0.0
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Rollout:
        """KeyError or TypeError for anything but what `to_json` gives."""
        return cls(**{**raw, "decisions": tuple(Decision(**each) for each in raw["decisions"])})


def offer(rollout: Rollout, champion: str, candidate: str, *, learned_until: float) -> Rollout:
    """A new candidate goes to the gate."""
    return replace(rollout, champion=champion, candidate=candidate, stage=0, began=learned_until)


def judge(rollout: Rollout, verdict: Verdict, rules: Rules, *, now: float) -> Rollout:
    """At the gate: a retrained version that passes is champion at once, another begins at the first stage."""
    match verdict.outcome:
        case Outcome.PASS:
            if rollout.retrained:
                return _crown(rollout, "shipped", verdict.reason, verdict.figures, now)
            return promote(rollout, rules, verdict.reason, now=now, numbers=verdict.figures)
        case Outcome.REFUSE:
            return drop(rollout, verdict.reason, now=now, numbers=verdict.figures)
    return rollout


def advance(rollout: Rollout, candidate: Group, champion: Group, rules: Rules, *, now: float) -> Rollout:
    """After the gate, from the searches of the stage: one stage up, champion, dropped, or as it was.

    A share grows when nothing speaks against the candidate. Champion it becomes by proof that it is better, from the
    clients that were assigned at random in the last stage; the bound holds however often one looks.
    """
    numbers = figures(candidate, champion, rules.limits.alpha)
    if broken := guardrails(candidate, champion, rules.limits):
        return drop(rollout, broken, now=now, numbers=numbers)
    enough = candidate.searches >= rules.stage_searches and candidate.large_enough and champion.large_enough
    found, low, high = difference(candidate, champion, rules.limits.alpha)
    last = rollout.stage >= len(rules.stages)
    if enough and not last:
        reason = f"{candidate.searches} searches at {rollout.share(rules):.0%} break no guardrail."
        return promote(rollout, rules, reason, now=now, numbers=numbers)
    if enough and low > 0:
        reason = f"A search earns {found:.4f} more than the champion's ({low:+.4f} to {high:+.4f})."
        return promote(rollout, rules, reason, now=now, numbers=numbers)
    if candidate.searches >= rules.max_searches:
        why = f"it is not proven better ({low:+.4f} to {high:+.4f})" if enough else "they are of too few clients"
        return drop(rollout, f"After {candidate.searches} searches {why}.", now=now, numbers=numbers)
    return rollout


def watch(
    rollout: Rollout, champion: Group, control: Group, rules: Rules, control_version: str, *, now: float
) -> Rollout:
    """Back to the control when the champion breaks a guardrail against it: many retrained versions, each hardly worse
    than the one before, may have made it bad."""
    if broken := guardrails(champion, control, rules.limits, whose="the control's"):
        return return_to(rollout, control_version, broken, now=now)
    return rollout


def promote(
    rollout: Rollout, rules: Rules, reason: str, *, now: float, numbers: Mapping[str, float] | None = None
) -> Rollout:
    """One stage up; from the last one to champion."""
    if rollout.stage >= len(rules.stages):
        return _crown(rollout, "promoted", f"{reason} It is the champion.", numbers or {}, now)
    up = replace(rollout, stage=rollout.stage + 1, began=now)
    what = "promoted" if rollout.stage else "passed"
    return _decided(up, what, up.candidate, f"{reason} It gets {up.share(rules):.0%} of the clients.", numbers, now)


def drop(rollout: Rollout, reason: str, *, now: float, numbers: Mapping[str, float] | None = None) -> Rollout:
    """The candidate serves nobody any more."""
    without = replace(rollout, candidate="", stage=0, began=now)
    return _decided(without, "dropped", rollout.candidate, reason, numbers, now)


def return_to(rollout: Rollout, champion: str, reason: str, *, now: float) -> Rollout:
    """An earlier champion again, without a candidate."""
    back = replace(rollout, champion=champion, candidate="", stage=0, began=now)
    return _decided(back, "rolled back", rollout.champion, reason, None, now)


def _crown(rollout: Rollout, what: str, reason: str, numbers: Mapping[str, float], now: float) -> Rollout:
    crowned = replace(rollout, champion=rollout.candidate, candidate="", stage=0, began=now)
    return _decided(crowned, what, rollout.candidate, reason, numbers, now)


def _decided(
    rollout: Rollout, what: str, policy: str, reason: str, numbers: Mapping[str, float] | None, now: float
) -> Rollout:
    decision = Decision(now, what, policy, reason, dict(numbers or {}))
    return replace(rollout, decisions=(*rollout.decisions, decision)[-_DECISIONS_KEPT:])

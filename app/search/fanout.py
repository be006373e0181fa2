"""Asks the arms of a plan at the same time, each with its own deadline; who is late or fails is left out. What an arm
has answered is not asked again while it would say the same."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from app.degradation.guarded_arm import ArmLimits, GuardedArm
from app.search.newest import Answered, NewestAnswers
from core.protocols import Retriever
from core.types import ArmReport, Plan, Query, Scored

_DEFAULT = ArmLimits()


class FanOut:
    """All arms, each behind its own bulkhead."""

    def __init__(
        self,
        arms: Mapping[str, Retriever],
        limits: Mapping[str, ArmLimits] | ArmLimits = _DEFAULT,
        *,
        threads: int = 8,
        remembered: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limits` by arm, or one for all; `threads` of each arm; `remembered` answers of all; `clock` of the circuit
        breakers."""
        each = dict.fromkeys(arms, limits) if isinstance(limits, ArmLimits) else limits
        self.arms = {name: GuardedArm(arm, each[name], threads=threads, clock=clock) for name, arm in arms.items()}
        self.newest = NewestAnswers(arms, remembered)

    def __call__(
        self, plan: Plan, query: Query, *, left_s: float = math.inf
    ) -> tuple[dict[str, list[Scored]], dict[str, ArmReport]]:
        """The answers of the arms that made it, and a report for every asked arm; for an answer that is remembered it
        is that of when it was found. `left_s` bounds every deadline."""
        began = time.perf_counter()
        asked = {name: self.newest.asked(name, query, depth) for name, depth in plan.depths.items()}
        known = {name: answer for name, each in asked.items() if (answer := self.newest.find(each))}
        calls = {name: self.arms[name].ask(query, depth) for name, depth in plan.depths.items() if name not in known}
        answers: dict[str, list[Scored]] = {}
        reports: dict[str, ArmReport] = {}
        for name in plan.depths:
            if (answer := known.get(name)) is not None:
                answers[name], reports[name] = answer
                continue
            found, reports[name] = self.arms[name].take(calls[name], query, began=began, left_s=left_s)
            if found is not None:
                answers[name] = found
                self.newest.keep(asked[name], Answered(found, reports[name]))
        return answers, reports

    def configure(self, limits: Mapping[str, ArmLimits]) -> None:
        """From now on by these limits."""
        for name, arm in self.arms.items():
            arm.configure(limits[name])

    def close(self) -> None:
        for arm in self.arms.values():
            arm.close()

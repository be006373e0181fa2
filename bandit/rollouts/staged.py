"""Who draws a client's plan while a policy is rolled out: the control, the candidate or the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bandit.experiments.assignment import assign, unit
from core.protocols import Policy
from core.types import Choice, Features, Query


def in_control(query: Query, share: float) -> bool:
    """Whether the client who asks is of the permanent control, which gets that share of them."""
    return assign("rollout control", unit(query), {"control": share, "others": 1 - share}) == "control"


@dataclass(frozen=True, slots=True)
class StagedPolicy:
    """Each client has one policy, and every choice carries the version of the policy that drew it.

    `control` is the share of the clients who always get the control, whatever is rolled out beside it. `share` is that
    of the candidate: who has it keeps it when the share grows. Its clients are drawn anew for every candidate.
    """

    champion: Policy
    control: Policy
    control_share: float
    candidate: Policy | None = None
    share: float = 0.0

    @property
    def version(self) -> str:
        """Of the whole, to look at; the log has the versions of the parts."""
        trial = f", {self.candidate.version} at {self.share:.0%}" if self.candidate else ""
        return f"{self.champion.version}{trial}, control {self.control.version} at {self.control_share:.0%}"

    @property
    def parts(self) -> Mapping[str, tuple[Policy, float]]:
        """Role -> the policy and its share of the clients."""
        found = {"champion": (self.champion, 1 - self.control_share - self.share)}
        if self.candidate is not None:
            found["candidate"] = (self.candidate, self.share)
        return {**found, "control": (self.control, self.control_share)}

    def of(self, query: Query) -> Policy:
        """The policy of the client who asks."""
        if in_control(query, self.control_share):
            return self.control
        if self.candidate is None or self.share == 0:
            return self.champion
        among_others = min(1.0, self.share / (1 - self.control_share))
        shares = {"candidate": among_others, "champion": 1 - among_others}
        held = assign(f"rollout {self.candidate.version}", unit(query), shares)
        return self.candidate if held == "candidate" else self.champion

    def propensities(self, query: Query, context: Features) -> Mapping[str, float]:
        return self.of(query).propensities(query, context)

    def choose(self, query: Query, context: Features) -> Choice:
        return self.of(query).choose(query, context)

"""On which terms a policy learns and explores: what the learners of all policies are told alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """`cost_per_ms` is in reward; `gamma` is multiplied by sqrt(episodes); `floor` is the share of searches that draw
    any plan for ever. Before `min_clicked` clicked episodes there is no model, and the warm-up policy serves.
    """

    min_clicked: int
    cost_per_ms: float
    gamma: float
    floor: float

"""What each plan earns, covers and costs, as far as the log tells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.insights.loggers import Loggers
from app.insights.sums import Pooled, Sum
from core.episodes import Episode
from core.types import Plan

LEAST_EFFECTIVE = 30.0


@dataclass(slots=True)
class _Figures:
    searches: int = 0
    milliseconds: Sum = field(default_factory=Sum)
    covered: float = 0.0
    clicked: float = 0.0


class PlanFigures:
    """`coverage` of a plan is the share of the gain of shadowed searches whose items its arms would have found, at its
    depths: what a shadow knows of plans that were not drawn too."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans = plans
        self._found = {name: _Figures() for name in plans}
        self._loggers = Loggers()

    def add(self, episode: Episode) -> None:
        choice = episode.impression.choice
        self._loggers.add(choice, episode.reward)
        drawn = self._found.get(choice.plan.name)
        if drawn is not None and choice.plan.depths == self._plans[choice.plan.name].depths:
            drawn.searches += 1
            drawn.milliseconds.add(sum(report.took_ms for report in episode.impression.arms.values()))
        if episode.shadow is not None and any(gain > 0 for gain in episode.gains):
            self._cover(episode)

    @property
    def best(self) -> str | None:
        """The plan that would earn most if it always served, of those that the log can tell; None while there is
        none."""
        rewards = self._loggers.rewards()
        known = {name: rewards[name].value for name in self._found if name in rewards}
        known = {name: value for name, value in known.items() if rewards[name].effective >= LEAST_EFFECTIVE}
        return max(known, key=known.__getitem__, default=None)

    def to_json(self) -> list[dict[str, Any]]:
        """In the order of the configuration."""
        total = sum(each.searches for each in self._found.values())
        rewards = self._loggers.rewards()
        return [
            {
                "name": name,
                "depths": dict(self._plans[name].depths),
                "searches": each.searches,
                **({"share": each.searches / total} if total else {}),
                "reward": rewards.get(name, Pooled()).to_json(),
                "milliseconds": each.milliseconds.to_json(),
                **({"coverage": each.covered / each.clicked, "gain": each.clicked} if each.clicked else {}),
            }
            for name, each in self._found.items()
        ]

    def _cover(self, episode: Episode) -> None:
        shadow = episode.shadow
        assert shadow is not None
        gains = [max(0.0, gain) for gain in episode.gains]
        for name, plan in self._plans.items():
            if not plan.depths.keys() <= shadow.ranks.keys():
                continue
            found = self._found[name]
            found.clicked += math.fsum(gains)
            found.covered += math.fsum(
                gain
                for row, gain in enumerate(gains)
                if any(0 < shadow.ranks[arm][row] <= depth for arm, depth in plan.depths.items())
            )

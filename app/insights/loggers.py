"""What each plan would earn, from policy versions that drew plans with very different probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.insights.sums import Pooled, Weighted
from core.types import Choice

_LEAST = 5.0
_OFF = 0.1  # by how much the mean weight may miss 1: else some searches never had a chance to show the plan's failures
_MOST = 50


@dataclass(slots=True)
class _Logger:
    """The searches of one policy version, and what they say of each plan."""

    searches: int = 0
    plans: dict[str, Weighted] = field(default_factory=dict)

    def merge(self, other: _Logger) -> None:
        self.searches += other.searches
        for name, found in other.plans.items():
            self.plans.setdefault(name, Weighted()).merge(found)

    def says(self) -> dict[str, Weighted]:
        """The plans it can tell of: it drew them often enough, and wherever they would have served."""
        return {
            name: found
            for name, found in self.plans.items()
            if found.effective >= _LEAST and abs(found.weights / self.searches - 1) <= _OFF
        }


class Loggers:
    """Estimates version by version, pooled. At most 50 versions are open; what an older one said is kept as it was."""

    def __init__(self) -> None:
        self._open: dict[str, _Logger] = {}
        self._past: dict[str, Pooled] = {}

    def add(self, choice: Choice, reward: float) -> None:
        logger = self._logger(choice.policy)
        logger.searches += 1
        logger.plans.setdefault(choice.plan.name, Weighted()).add(reward, choice.propensity)

    def merge(self, other: Loggers) -> None:
        for name, past in other._past.items():
            self._past.setdefault(name, Pooled()).merge(past)
        for version, logger in other._open.items():
            self._logger(version).merge(logger)

    def rewards(self) -> Mapping[str, Pooled]:
        """Plan -> what it would earn; plans that nobody can tell of are absent."""
        found: dict[str, Pooled] = {}
        for name, past in self._past.items():
            found.setdefault(name, Pooled()).merge(past)
        for logger in self._open.values():
            for name, said in logger.says().items():
                found.setdefault(name, Pooled()).add(said)
        return found

    def _logger(self, version: str) -> _Logger:
        if version not in self._open and len(self._open) == _MOST:
            for name, said in self._open.pop(next(iter(self._open))).says().items():
                self._past.setdefault(name, Pooled()).add(said)
        return self._open.setdefault(version, _Logger())

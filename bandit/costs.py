"""What asking an arm costs in milliseconds: a moving median per depth, and a line through the medians."""

from __future__ import annotations

from collections import defaultdict, deque
from statistics import median

from core.episodes import Episode
from core.types import ArmStatus

_TIMES_KEPT = 501


class ArmTimes:
    """ms(arm, depth) = base + per_candidate * depth, both at least 0, so that a deeper question is never cheaper.

    The line is the least-squares fit through the median of the last 501 times at each depth, weighted by their number:
    medians because one pause of the machine must not make an arm dear, a line because rare depths have few times.
    """

    def __init__(self) -> None:
        self._times: dict[str, dict[int, deque[float]]] = defaultdict(lambda: defaultdict(_moving))

    def add(self, arm: str, depth: int, took_ms: float) -> None:
        self._times[arm][depth].append(took_ms)

    def add_episode(self, episode: Episode) -> None:
        """The times of the arms that answered. A shadow's, one arm at a time, speak only for arms not asked."""
        shadow, asked = episode.shadow, episode.impression.arms
        for arm, report in asked.items():
            if report.status is ArmStatus.OK:
                self.add(arm, report.depth, report.took_ms)
        if shadow is not None:
            for arm in shadow.depths.keys() - asked.keys():
                self.add(arm, shadow.depths[arm], shadow.took_ms[arm])

    def milliseconds(self, arm: str, depth: int) -> float:
        """An arm never asked is as dear as the dearest that was, so that ignorance is not cheap; 0 before any time."""
        lines = [_line(self._times[arm])] if arm in self._times else [_line(times) for times in self._times.values()]
        return max((base + per_candidate * depth for base, per_candidate in lines), default=0.0)


def _moving() -> deque[float]:
    return deque(maxlen=_TIMES_KEPT)


def _line(times: dict[int, deque[float]]) -> tuple[float, float]:
    """(base, per_candidate) of the weighted least-squares line, refitted through the origin where base would be < 0."""
    points = [(depth, median(found), len(found)) for depth, found in times.items()]
    total = sum(count for _, _, count in points)
    mean_depth = sum(count * depth for depth, _, count in points) / total
    mean_ms = sum(count * ms for _, ms, count in points) / total
    spread = sum(count * (depth - mean_depth) ** 2 for depth, _, count in points)
    together = sum(count * (depth - mean_depth) * (ms - mean_ms) for depth, ms, count in points)
    per_candidate = max(0.0, together / spread) if spread > 0 else 0.0
    base = mean_ms - per_candidate * mean_depth
    if base >= 0:
        return base, per_candidate
    squares = sum(count * depth**2 for depth, _, count in points)
    return 0.0, sum(count * depth * ms for depth, ms, count in points) / squares

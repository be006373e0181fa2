"""Learns the coverage policy from clicked episodes, each of which labels every asked arm at every depth at once."""

from __future__ import annotations

import logging
import math
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import combinations
from statistics import median

import numpy as np
from numpy.typing import NDArray

from bandit.coverage import CoverageModel
from bandit.heads import LinearHeads
from bandit.plans import PlanLibrary
from core.types import ArmStatus, Episode

log = logging.getLogger(__name__)
_TIMES_KEPT = 501


class CoverageLearner:
    """A click on an item that the asked arm had within depth d says yes to the head (arm, d), otherwise no.

    Known bias: a clicked item was found by some asked arm, so an arm that always answers alone looks better than it is.
    The exploration floor bounds it. Arms that timed out or failed say nothing.
    """

    component = "policy"

    def __init__(
        self,
        library: PlanLibrary,
        seed: int,
        *,
        min_clicked: int,
        cost_per_ms: float,
        gamma: float,
        floor: float,
    ) -> None:
        self._library = library
        self._seed = seed
        self._min_clicked = min_clicked
        self._cost_per_ms = cost_per_ms
        self._gamma = gamma
        self._floor = floor
        self._names: tuple[str, ...] | None = None
        self._heads: LinearHeads | None = None
        self._times: dict[tuple[str, int], deque[float]] = defaultdict(lambda: deque(maxlen=_TIMES_KEPT))
        self._overlap = _Overlap()
        self._clicked = 0
        self._episodes = 0
        self._changed = False

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._restart_for(episode.impression.context.names)
            self._learn(episode)

    def snapshot(self) -> bytes | None:
        """None before `min_clicked` clicked episodes: until then the warm-up policy serves."""
        if not self._changed or self._heads is None or self._names is None or self._clicked < self._min_clicked:
            return None
        self._changed = False
        return CoverageModel(
            library=self._library,
            names=self._names,
            weights=self._heads.export(),
            head_ms=np.array([self._median_ms(arm, depth) for arm, depth in self._library.heads]),
            overlap=self._overlap.estimate(),
            gamma=self._gamma * math.sqrt(self._episodes),
            floor=self._floor,
            cost_per_ms=self._cost_per_ms,
        ).dump()

    def _restart_for(self, names: tuple[str, ...]) -> None:
        """Other context features (an arm was added, say) need other weights; what was learned of the old is dropped."""
        if names == self._names:
            return
        if self._heads is not None:
            log.warning("the context features have changed; the policy starts to learn anew")
            self._heads.close()
        self._names = names
        self._heads = LinearHeads(len(self._library.heads) + 1, len(names), seed=self._seed)
        self._clicked = self._episodes = 0

    def _learn(self, episode: Episode) -> None:
        assert self._heads is not None
        impression = episode.impression
        values = impression.context.values.astype(np.float64)
        for arm, report in impression.arms.items():
            if report.status is ArmStatus.OK:
                self._times[arm, report.depth].append(report.took_ms)
        clicked = [(row, gain) for row, gain in enumerate(episode.gains) if gain > 0]
        self._heads.learn(len(self._library.heads), values, label=bool(clicked))
        for row, gain in clicked:
            self._label(episode, row, gain, values)
        self._episodes += 1
        self._clicked += bool(clicked)
        self._changed = True

    def _label(self, episode: Episode, row: int, gain: float, values: NDArray[np.float64]) -> None:
        assert self._heads is not None
        impression = episode.impression
        answered = {arm: r.depth for arm, r in impression.arms.items() if r.status is ArmStatus.OK}
        for head, (arm, depth) in enumerate(self._library.heads):
            if depth <= answered.get(arm, 0):
                self._heads.learn(head, values, label=1 <= impression.ranks[arm][row] <= depth, weight=gain)
        self._overlap.add({arm: impression.ranks[arm][row] > 0 for arm in answered})

    def _median_ms(self, arm: str, depth: int) -> float:
        """Of this depth; of any depth of the arm when this one was never asked; 0 when the arm never was."""
        exact = self._times.get((arm, depth))
        times = exact or [time for (name, _), found in self._times.items() if name == arm for time in found]
        return float(median(times)) if times else 0.0


class _Overlap:
    """How much the arms find the same: 0 when pairs coincide as often as chance has it, 1 when as often as possible."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], int] = defaultdict(int)
        self._both: dict[tuple[str, str], int] = defaultdict(int)
        self._first: dict[tuple[str, str], int] = defaultdict(int)
        self._second: dict[tuple[str, str], int] = defaultdict(int)

    def add(self, found: dict[str, bool]) -> None:
        """Which of the asked arms had a clicked item."""
        for pair in combinations(sorted(found), 2):
            first, second = found[pair[0]], found[pair[1]]
            self._asked[pair] += 1
            self._both[pair] += first and second
            self._first[pair] += first
            self._second[pair] += second

    def estimate(self) -> float:
        """(observed - independent) / (largest possible - independent), over all pairs, cut to [0, 1]."""
        observed = independent = possible = 0.0
        for pair, asked in self._asked.items():
            first, second = self._first[pair] / asked, self._second[pair] / asked
            observed += self._both[pair]
            independent += asked * first * second
            possible += asked * min(first, second)
        room = possible - independent
        return float(np.clip((observed - independent) / room, 0, 1)) if room > 1e-9 else 0.0

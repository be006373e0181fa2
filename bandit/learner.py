"""Learns the coverage policy from clicked episodes, each labelling at every depth the arms that were asked, or all."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bandit.costs import ArmTimes
from bandit.coverage import CoverageModel
from bandit.heads import LinearHeads
from bandit.plans import PlanLibrary
from core.errors import InvalidInput
from core.types import ArmStatus, Episode

log = logging.getLogger(__name__)
# So many episodes in a row with the same other context features are a change, fewer are stragglers.
_STRANGERS = 20


class CoverageLearner:
    """A click on an item that the asked arm had within depth d says yes to the head (arm, d), otherwise no.

    Where there is a shadow, all arms count as asked, as deep as it went. Arms that timed out or failed say nothing.
    Known bias: a clicked item was found by some asked arm, so an arm that always answers alone looks better than it is.
    The exploration floor bounds it, and shadows lessen it: they tell of every arm, though only about such items.
    `skipped` counts the episodes that taught nothing: interleaved (their items come from two plans), with other context
    features than the current, or with unusable numbers.
    """

    component = "policy"

    def __init__(
        self,
        library: PlanLibrary,
        seed: int,
        *,
        min_clicked: int = 200,
        cost_per_ms: float,
        gamma: float,
        floor: float,
    ) -> None:
        """`gamma` is multiplied by sqrt(episodes); `cost_per_ms` is in reward."""
        self._library = library
        self._seed = seed
        self._min_clicked = min_clicked
        self._cost_per_ms = cost_per_ms
        self._gamma = gamma
        self._floor = floor
        self._names: tuple[str, ...] | None = None
        self._heads: LinearHeads | None = None
        self._times = ArmTimes()
        self._overlap = _Overlap()
        self._clicked = 0
        self._episodes = 0
        self._published = 0
        self._strangers = 0
        self._stranger_names: tuple[str, ...] | None = None
        self.skipped = 0

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            if episode.impression.mixed or not self._is_current(episode.impression.context.names):
                self.skipped += 1
                continue
            try:
                self._learn(episode)
            except InvalidInput as error:  # one bad row must not cost the others of its batch
                log.warning("episode %s teaches nothing: %s", episode.impression.query.id, error)
                self.skipped += 1

    def snapshot(self) -> bytes | None:
        """None before `min_clicked` clicked episodes (until then the warm-up policy serves), and without new ones."""
        if self._heads is None or self._names is None or self._clicked < self._min_clicked:
            return None
        if self._episodes == self._published:
            return None
        self._published = self._episodes
        return CoverageModel(
            library=self._library,
            names=self._names,
            weights=self._heads.export(),
            head_ms=np.array([self._times.milliseconds(arm, depth) for arm, depth in self._library.heads]),
            overlap=self._overlap.estimate(),
            gamma=self._gamma * math.sqrt(self._episodes),
            floor=self._floor,
            cost_per_ms=self._cost_per_ms,
        ).dump()

    def close(self) -> None:
        """Free VW's memory; nothing can be learned afterwards."""
        if self._heads is not None:
            self._heads.close()
            self._heads = None

    def _is_current(self, names: tuple[str, ...]) -> bool:
        """Whether the current weights fit; so many strangers in a row (an arm was added, say) become the current."""
        if names == self._names:
            self._strangers = 0
            return True
        self._strangers = self._strangers + 1 if names == self._stranger_names else 1
        self._stranger_names = names
        if self._names is not None and self._strangers < _STRANGERS:
            return False
        self._start(names)
        return True

    def _start(self, names: tuple[str, ...]) -> None:
        """Other context features need other weights; what was learned of the old is dropped."""
        if self._names is not None:
            log.warning("the context features have changed; the policy starts to learn anew")
            self.close()
        self._names = names
        self._heads = LinearHeads(len(self._library.heads) + 1, len(names), seed=self._seed)
        self._overlap = _Overlap()
        self._clicked = self._episodes = self._published = self._strangers = 0

    def _learn(self, episode: Episode) -> None:
        assert self._heads is not None
        values = episode.impression.context.values.astype(np.float64)
        self._times.add_episode(episode)
        clicked = [(row, gain) for row, gain in enumerate(episode.gains) if gain > 0]
        self._heads.learn(len(self._library.heads), values, label=episode.reward > 0)
        for row, gain in clicked:
            self._label(episode, row, gain, values)
        self._episodes += 1
        self._clicked += bool(clicked)

    def _label(self, episode: Episode, row: int, gain: float, values: NDArray[np.float64]) -> None:
        assert self._heads is not None
        known = _ranks(episode, row)
        for head, (arm, depth) in enumerate(self._library.heads):
            rank, deepest = known.get(arm, (0, 0))
            if depth <= deepest:
                self._heads.learn(head, values, label=1 <= rank <= depth, weight=gain)
        self._overlap.add({arm: rank > 0 for arm, (rank, _) in known.items()})


def _ranks(episode: Episode, row: int) -> dict[str, tuple[int, int]]:
    """arm -> (its rank of the row's item or 0, how deep it was asked): of the answer, or of the shadow if deeper."""
    impression, shadow = episode.impression, episode.shadow
    known = {
        arm: (impression.ranks[arm][row], report.depth)
        for arm, report in impression.arms.items()
        if report.status is ArmStatus.OK
    }
    if shadow is not None:
        for arm, depth in shadow.depths.items():
            if depth > known.get(arm, (0, 0))[1]:
                known[arm] = shadow.ranks[arm][row], depth
    return known


class _Overlap:
    """How much the arms find the same: 0 when pairs coincide as often as chance has it, 1 when as often as possible.

    A pair is judged only by clicked items that a third asked arm found. Some asked arm found every clicked item, so
    without the third a miss of one would imply a hit of the other, and even twins would look independent. Two arms
    alone cannot tell: then the estimate stays 0 (capture-recapture: two lists don't identify their dependence).
    """

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], int] = defaultdict(int)
        self._both: dict[tuple[str, str], int] = defaultdict(int)
        self._first: dict[tuple[str, str], int] = defaultdict(int)
        self._second: dict[tuple[str, str], int] = defaultdict(int)

    def add(self, found: dict[str, bool]) -> None:
        """Which of the asked arms had a clicked item."""
        for pair in combinations(sorted(found), 2):
            if not any(hit for arm, hit in found.items() if arm not in pair):
                continue
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

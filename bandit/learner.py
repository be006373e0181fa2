"""Learns the coverage policy: every episode tells what each asked arm, at every depth, and each plan within earned."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandit.costs import ArmTimes
from bandit.coverage import CoverageModel
from bandit.current_names import CurrentNames
from bandit.heads.labels import Labeller
from bandit.heads.linear import LinearHeads
from bandit.heads.offsets import PlanOffsets
from bandit.heads.union import United, corrected
from bandit.plans import PlanLibrary
from core.errors import InvalidInput
from core.types import Episode

log = logging.getLogger(__name__)
_REFRESHED = 25  # episodes between two looks at the weights, which say what is expected of the next ones
_LEAST_COVERED = 0.05  # so that a single click never counts more than twenty
Doubles = NDArray[np.float64]


class CoverageLearner:
    """Every answered arm's heads are taught what the arm earned, clicked or not, whatever the other arms found.

    Were the heads taught by clicked items only, an arm that is asked alone would look perfect: somebody has to have
    found an item before it can be clicked. What a shadow tells of arms that were not asked is such knowledge; it counts
    as the ceiling's share, and only for arms that the drawn plan left out. Arms that timed out or failed say nothing.
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
        self._names = CurrentNames()
        self._heads: LinearHeads | None = None
        self._times = ArmTimes()
        self._label = Labeller(library)
        self._united = United(library)
        self._offsets = PlanOffsets(len(library.plans))
        self._weights = np.zeros((0, 0))
        self._clicked = 0
        self._episodes = 0
        self._published = 0
        self.skipped = 0

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            before, names = self._names.names, episode.impression.context.names
            if episode.impression.mixed or not self._names.admits(names):
                self.skipped += 1
                continue
            if names != before:
                self._start(names)
            try:
                self._learn(episode)
            except InvalidInput as error:  # one bad row must not cost the others of its batch
                log.warning("episode %s teaches nothing: %s", episode.impression.query.id, error)
                self.skipped += 1

    def snapshot(self) -> bytes | None:
        """None before `min_clicked` clicked episodes (until then the warm-up policy serves), and without new ones."""
        if self._heads is None or self._names.names is None or self._clicked < self._min_clicked:
            return None
        if self._episodes == self._published:
            return None
        self._published = self._episodes
        return CoverageModel(
            library=self._library,
            names=self._names.names,
            weights=self._heads.export(),
            offsets=self._offsets.values,
            head_ms=np.array([self._times.milliseconds(arm, depth) for arm, depth in self._library.heads]),
            gamma=self._gamma * math.sqrt(self._episodes),
            floor=self._floor,
            cost_per_ms=self._cost_per_ms,
        ).dump()

    def close(self) -> None:
        """Free VW's memory; nothing can be learned afterwards."""
        if self._heads is not None:
            self._heads.close()
            self._heads = None

    def _start(self, names: tuple[str, ...]) -> None:
        """Other context features need other weights; what was learned of the old is dropped."""
        if self._heads is not None:
            log.warning("the context features have changed; the policy starts to learn anew")
            self.close()
        self._heads = LinearHeads(self._groups(), len(names), seed=self._seed)
        self._offsets = PlanOffsets(len(self._library.plans))
        self._clicked = self._episodes = self._published = 0

    def _groups(self) -> list[int]:
        """The depths of an arm are much alike; the ceiling is on its own."""
        arms = list(dict.fromkeys(arm for arm, _ in self._library.heads))
        return [*(arms.index(arm) for arm, _ in self._library.heads), len(arms)]

    def _learn(self, episode: Episode) -> None:
        assert self._heads is not None
        if self._episodes % _REFRESHED == 0:
            self._weights = self._heads.export()
        values = episode.impression.context.values.astype(np.float64)
        united, ceiling = self._united(self._weights, values)
        labels = self._label(episode)
        for head in np.flatnonzero(labels.told_heads).tolist():
            self._heads.learn(head, values, float(labels.heads[head]))
        for head in np.flatnonzero(labels.shadowed).tolist():
            self._heads.learn(head, values, min(ceiling, 1.0) * float(labels.heads[head] > 0))
        self._teach_ceiling(episode, values, united / ceiling)
        self._offsets.learn(labels.told_plans, corrected(united, self._offsets.values), labels.plans)
        self._times.add_episode(episode)
        self._episodes += 1
        self._clicked += any(gain > 0 for gain in episode.gains)

    def _teach_ceiling(self, episode: Episode, values: Doubles, covered: Doubles) -> None:
        """The reward as it would be if the plan had covered everything; `covered` [plans] is how much it did."""
        assert self._heads is not None
        plan = episode.impression.choice.plan
        if episode.impression.degraded or plan not in self._library.plans:
            return
        whole = max(episode.reward, 0.0) / max(covered[self._library.plans.index(plan)], _LEAST_COVERED)
        self._heads.learn(len(self._library.heads), values, min(whole, 1.0), weight=max(whole, 1.0))

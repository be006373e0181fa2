"""Learns the coverage policy: every episode tells what each asked arm, at every depth, and each plan within earned."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandit.costs import ArmTimes
from bandit.coverage.corrections import PlanCorrections
from bandit.coverage.familiarity import Familiarity
from bandit.coverage.heads import LinearHeads
from bandit.coverage.labels import Labeller
from bandit.coverage.policy import CoverageModel
from bandit.coverage.union import United, corrected
from bandit.lessons import Lessons
from bandit.plans import PlanLibrary
from bandit.terms import Terms
from core.episodes import Episode

_REFRESHED = 25  # episodes between two looks at the weights, which say what is expected of the next ones
# Episodes over which the looks are averaged: single steps scatter, and what serves need not (Polyak and Juditsky 1992,
# "Acceleration of stochastic approximation by averaging").
_AVERAGED = 100
_LEAST_COVERED = 0.05  # so that a single click never counts more than twenty
Doubles = NDArray[np.float64]


class CoverageLearner:
    """Every answered arm's heads are taught what the arm earned, clicked or not, whatever the other arms found.

    Were the heads taught by clicked items only, an arm that is asked alone would look perfect: somebody has to have
    found an item before it can be clicked. What a shadow tells of arms that were not asked is such knowledge; it counts
    as the ceiling's share, and only for arms that the drawn plan left out. Arms that timed out or failed say nothing.
    `skipped` counts the episodes that taught nothing: interleaved (their items come from two plans), imported (from
    none), with other context features than the current, or with unusable numbers.
    """

    component = "policy"

    def __init__(self, library: PlanLibrary, seed: int, terms: Terms) -> None:
        self._library = library
        self._seed = seed
        self._terms = terms
        self._lessons = Lessons(terms.min_clicked)
        self._heads: LinearHeads | None = None
        self._times = ArmTimes()
        self._label = Labeller(library)
        self._united = United(library)
        self._corrections = PlanCorrections(len(library.plans), 0)
        self._familiarity = Familiarity(0)
        self._weights = np.zeros((0, 0))
        self._looked = 0  # the episodes taught when the weights were last looked at

    @property
    def skipped(self) -> int:
        return self._lessons.skipped

    def learn(self, episodes: Sequence[Episode]) -> None:
        self._lessons.take(
            episodes,
            teaches=lambda episode: not (episode.impression.mixed or episode.impression.imported),
            start=self._start,
            teach=self._teach,
        )

    def snapshot(self) -> bytes | None:
        """None before `min_clicked` clicked episodes (until then the warm-up policy serves), and without new ones."""
        if self._heads is None or not self._lessons.due():
            return None
        self._look(self._heads)
        return CoverageModel(
            library=self._library,
            names=self._lessons.names,
            weights=self._weights,
            corrections=self._corrections.weights,
            head_ms=np.array([self._times.milliseconds(arm, depth) for arm, depth in self._library.heads]),
            novelty=self._familiarity.export(),
            gamma=self._terms.gamma * math.sqrt(self._lessons.episodes),
            floor=self._terms.floor,
            cost_per_ms=self._terms.cost_per_ms,
        ).dump()

    def close(self) -> None:
        """Free VW's memory; nothing can be learned afterwards."""
        if self._heads is not None:
            self._heads.close()
            self._heads = None

    def _start(self, width: int) -> None:
        self.close()
        self._heads = LinearHeads(self._groups(), width, seed=self._seed)
        self._weights, self._looked = self._heads.export(), 0
        self._corrections = PlanCorrections(len(self._library.plans), width)
        self._familiarity = Familiarity(width)

    def _groups(self) -> list[int]:
        """The depths of an arm are much alike; the ceiling is on its own."""
        arms = list(dict.fromkeys(arm for arm, _ in self._library.heads))
        return [*(arms.index(arm) for arm, _ in self._library.heads), len(arms)]

    def _teach(self, episode: Episode) -> None:
        assert self._heads is not None
        if self._lessons.episodes % _REFRESHED == 0:
            self._look(self._heads)
        values = episode.impression.context.values.astype(np.float64)
        united, ceiling = self._united(self._weights, values)
        labels = self._label(episode)
        for head in np.flatnonzero(labels.told_heads).tolist():
            earned = float(labels.heads[head])
            self._heads.learn(head, values, min(earned, 1.0), weight=max(earned, 1.0))
        for head in np.flatnonzero(labels.shadowed).tolist():
            self._heads.learn(head, values, min(ceiling, 1.0) * float(labels.held[head]))
        self._teach_ceiling(episode, values, united / ceiling)
        predicted = corrected(united, self._corrections(values))
        self._corrections.learn(values, labels.told_plans, predicted, labels.plans)
        self._familiarity.learn(values)
        self._times.add_episode(episode)

    def _look(self, heads: LinearHeads) -> None:
        """Draw the weights towards those of now, the more the more was taught since the last look."""
        taught = self._lessons.episodes
        if taught > self._looked:
            share = min(1.0, (taught - self._looked) / min(taught, _AVERAGED))
            self._weights = self._weights + share * (heads.export() - self._weights)
            self._looked = taught

    def _teach_ceiling(self, episode: Episode, values: Doubles, covered: Doubles) -> None:
        """The reward as it would be if the plan had covered everything; `covered` [plans] is how much it did."""
        assert self._heads is not None
        plan = episode.impression.choice.plan
        if episode.impression.degraded or plan not in self._library.plans:
            return
        whole = max(episode.reward, 0.0) / max(covered[self._library.plans.index(plan)], _LEAST_COVERED)
        self._heads.learn(len(self._library.heads), values, min(whole, 1.0), weight=max(whole, 1.0))

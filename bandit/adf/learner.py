"""Learns the vw_adf policy: the reward minus cost of each drawn plan, weighted by the propensity it was drawn with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bandit.adf.policy import AdfModel, action_features
from bandit.adf.squarecb import GAMMA_EXPONENT, SquareCb
from bandit.lessons import Lessons
from bandit.plans import PlanLibrary
from bandit.terms import Terms
from core.episodes import Episode
from core.types import Plan


class AdfLearner:
    """One row an episode. The cost is cost_per_ms * (what the asked arms took) - reward.

    `skipped` counts the episodes that taught nothing: interleaved, degraded (an asked arm did not answer), forced (the
    plan was asked for, not drawn), of a plan that is no longer in the library, with other context features than the
    current, or with unusable numbers.
    """

    component = "policy"

    def __init__(self, library: PlanLibrary, seed: int, terms: Terms) -> None:
        self._library = library
        self._numbers = {plan: number for number, plan in enumerate(map(_key, library.plans))}
        self._seed = seed
        self._terms = terms
        self._lessons = Lessons(terms.min_clicked)
        self._vw: SquareCb | None = None

    @property
    def skipped(self) -> int:
        return self._lessons.skipped

    def learn(self, episodes: Sequence[Episode]) -> None:
        self._lessons.take(episodes, teaches=self._teaches, start=self._start, teach=self._teach)

    def snapshot(self) -> bytes | None:
        """None before `min_clicked` clicked episodes (until then the warm-up policy serves), and without new ones."""
        if self._vw is None or not self._lessons.due():
            return None
        return AdfModel(
            library=self._library,
            names=self._lessons.names,
            weights=self._vw.export(),
            gamma=self._terms.gamma * math.pow(self._lessons.episodes, GAMMA_EXPONENT),
            floor=self._terms.floor,
            vw=self._vw.save(),
        ).dump()

    def close(self) -> None:
        """Free VW's memory; nothing can be learned afterwards."""
        if self._vw is not None:
            self._vw.close()
            self._vw = None

    def _teaches(self, episode: Episode) -> bool:
        impression = episode.impression
        drawn = not (impression.mixed or impression.degraded or impression.choice.policy == "forced")
        return drawn and _key(impression.choice.plan) in self._numbers

    def _teach(self, episode: Episode) -> None:
        assert self._vw is not None
        impression = episode.impression
        milliseconds = sum(report.took_ms for report in impression.arms.values())
        self._vw.learn(
            self._numbers[_key(impression.choice.plan)],
            impression.context.values.astype(np.float64),
            cost=self._terms.cost_per_ms * milliseconds - episode.reward,
            propensity=impression.choice.propensity,
        )

    def _start(self, width: int) -> None:
        self.close()
        self._vw = SquareCb(action_features(self._library), width, gamma=self._terms.gamma, seed=self._seed)


def _key(plan: Plan) -> tuple[tuple[str, int], ...]:
    """What a plan asks: its name may have changed since."""
    return tuple(sorted(plan.depths.items()))

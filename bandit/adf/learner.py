"""Learns the vw_adf policy: the reward minus cost of each drawn plan, weighted by the propensity it was drawn with."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np

from bandit.adf.policy import AdfModel, action_features
from bandit.adf.squarecb import GAMMA_EXPONENT, SquareCb
from bandit.current_names import CurrentNames
from bandit.plans import PlanLibrary
from core.errors import InvalidInput
from core.types import Episode, Plan

log = logging.getLogger(__name__)


class AdfLearner:
    """One row an episode. The cost is cost_per_ms * (what the asked arms took) - reward.

    `skipped` counts the episodes that taught nothing: interleaved, degraded (an asked arm did not answer), forced (the
    plan was asked for, not drawn), of a plan that is no longer in the library, with other context features than the
    current, or with unusable numbers.
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
        self._numbers = {plan: number for number, plan in enumerate(map(_key, library.plans))}
        self._seed = seed
        self._min_clicked = min_clicked
        self._cost_per_ms = cost_per_ms
        self._gamma = gamma
        self._floor = floor
        self._current = CurrentNames()
        self._vw: SquareCb | None = None
        self._clicked = 0
        self._episodes = 0
        self._published = 0
        self.skipped = 0

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            try:
                taught = self._learn(episode)
            except InvalidInput as error:  # one bad row must not cost the others of its batch
                log.warning("episode %s teaches nothing: %s", episode.impression.query.id, error)
                taught = False
            self.skipped += not taught

    def snapshot(self) -> bytes | None:
        """None before `min_clicked` clicked episodes (until then the warm-up policy serves), and without new ones."""
        if self._vw is None or self._clicked < self._min_clicked or self._episodes == self._published:
            return None
        self._published = self._episodes
        assert self._current.names is not None
        return AdfModel(
            library=self._library,
            names=self._current.names,
            weights=self._vw.export(),
            gamma=self._gamma * math.pow(self._episodes, GAMMA_EXPONENT),
            floor=self._floor,
            vw=self._vw.save(),
        ).dump()

    def close(self) -> None:
        """Free VW's memory; nothing can be learned afterwards."""
        if self._vw is not None:
            self._vw.close()
            self._vw = None

    def _learn(self, episode: Episode) -> bool:
        """Whether it taught something."""
        impression = episode.impression
        plan = self._numbers.get(_key(impression.choice.plan))
        if impression.mixed or impression.degraded or impression.choice.policy == "forced" or plan is None:
            return False
        before = self._current.names
        if not self._current.admits(impression.context.names):
            return False
        if self._current.names != before:
            self._start(len(impression.context.names), anew=before is not None)
        assert self._vw is not None
        milliseconds = sum(report.took_ms for report in impression.arms.values())
        self._vw.learn(
            plan,
            impression.context.values.astype(np.float64),
            cost=self._cost_per_ms * milliseconds - episode.reward,
            propensity=impression.choice.propensity,
        )
        self._episodes += 1
        self._clicked += any(gain > 0 for gain in episode.gains)
        return True

    def _start(self, width: int, *, anew: bool) -> None:
        """Other context features need other weights; what was learned of the old is dropped."""
        if anew:
            log.warning("the context features have changed; the policy starts to learn anew")
            self.close()
        self._vw = SquareCb(action_features(self._library), width, gamma=self._gamma, seed=self._seed)
        self._clicked = self._episodes = self._published = 0


def _key(plan: Plan) -> tuple[tuple[str, int], ...]:
    """What a plan asks: its name may have changed since."""
    return tuple(sorted(plan.depths.items()))

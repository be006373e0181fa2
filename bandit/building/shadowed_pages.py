"""What shadow traffic knows of pages: where every arm had what was clicked, and how long the arms took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandit.costs import ArmTimes
from bandit.earned import NOWHERE, Doubles, Integers, clicked, earned, ranks_of
from core.episodes import Episode

Depths = NDArray[np.int64]


class Page(NamedTuple):
    """A page on which something was clicked, and [arms, shown] where every arm had what it shows."""

    episode: Episode
    ranks: Integers


@dataclass(frozen=True, slots=True)
class ShadowedPages:
    """Of `searches` with a full shadow, `depth` deep in every arm, the `pages` on which something was clicked.

    Only shadow rows speak: elsewhere a click tells of the asked arms alone, and those are the arms that found it. What
    is left of that bias: an item has to be found by the plan of its search before it can be clicked.
    """

    arms: tuple[str, ...]
    depth: int
    searches: int
    pages: tuple[Page, ...]
    times: ArmTimes
    _earned: dict[tuple[int, ...], Doubles] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, episodes: Iterable[Episode], arms: Sequence[str], depth: int) -> ShadowedPages:
        """Shadows in which an arm is missing or went less deep are left out; times come from all episodes."""
        times, searches, pages = ArmTimes(), 0, []
        for episode in episodes:
            times.add_episode(episode)
            shadow = episode.shadow
            if shadow is None or any(shadow.depths.get(arm, 0) < depth for arm in arms):
                continue
            searches += 1
            if len(clicked(episode)):
                ranks = ranks_of([shadow.ranks[arm] for arm in arms])
                pages.append(Page(episode, np.where(ranks <= depth, ranks, NOWHERE)))
        return cls(tuple(arms), depth, searches, tuple(pages), times)

    @property
    def clicks(self) -> Integers:
        """[clicks, arms] the ranks of the clicked items, NOWHERE where an arm had it not within `depth`."""
        found = [page.ranks[:, clicked(page.episode)].T for page in self.pages]
        return np.concatenate([np.zeros((0, len(self.arms)), dtype=np.int64), *found])

    def mean_rewards(self, plans: Depths) -> Doubles:
        """[plans] what each would have earned, the mean over all searches."""
        means: Doubles = self.rewards(plans).sum(axis=1) / max(1, self.searches)
        return means

    def coverage(self, plans: Depths) -> Doubles:
        """[plans] of `plans` [plans, arms]: the share of the clicked items that some arm has within its depth."""
        reached = (self.clicks[None] <= plans[:, None, :]).any(axis=2)
        share: Doubles = reached.mean(axis=1)
        return share

    def rewards(self, plans: Depths) -> Doubles:
        """[plans, pages] what each plan would have earned: see bandit.earned. A plan is looked at once."""
        keys = list(map(tuple, plans.tolist()))
        new = [key for key in dict.fromkeys(keys) if key not in self._earned]
        if new:
            depths = np.array(new)
            found = np.array([earned(page.episode, page.ranks, depths) for page in self.pages])
            self._earned.update(zip(new, found.T, strict=True))
        return np.array([self._earned[key] for key in keys])

"""What shadow traffic knows of clicked items: at which rank every arm had them, and how long the arms took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandit.costs import ArmTimes
from core.episodes import Episode


@dataclass(frozen=True, slots=True)
class ShadowedClicks:
    """Where all arms had what was clicked: `ranks` [clicks, arms], 0 where an arm had it not within `depth`.

    `satisfied` is the share of the shadowed searches with a positive reward. Only shadow rows speak: elsewhere a click
    tells of the asked arms alone, and those are the arms that found it. What is left of that bias: an item has to be
    found by the plan of its search before it can be clicked.
    """

    arms: tuple[str, ...]
    depth: int
    ranks: NDArray[np.int64]
    satisfied: float
    times: ArmTimes

    @classmethod
    def of(cls, episodes: Iterable[Episode], arms: Sequence[str], depth: int) -> ShadowedClicks:
        """Shadows in which an arm is missing or went less deep are left out; times come from all episodes."""
        times, ranks, shadowed, satisfied = ArmTimes(), [], 0, 0
        for episode in episodes:
            times.add_episode(episode)
            shadow = episode.shadow
            if shadow is None or any(shadow.depths.get(arm, 0) < depth for arm in arms):
                continue
            shadowed += 1
            satisfied += episode.reward > 0
            clicked = [row for row, gain in enumerate(episode.gains) if gain > 0]
            ranks += [[shadow.ranks[arm][row] for arm in arms] for row in clicked]
        found = np.array(ranks, dtype=np.int64).reshape(len(ranks), len(arms))
        return cls(tuple(arms), depth, np.where(found <= depth, found, 0), satisfied / max(1, shadowed), times)

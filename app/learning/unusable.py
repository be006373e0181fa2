"""In the place of a learner that cannot be made: the others learn on, and it says why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.episodes import Episode
from core.errors import BowerbirdError


@dataclass(frozen=True, slots=True)
class UnusableLearner:
    """Has no model. Why is among the learner's troubles each time models are made."""

    component: str
    why: BowerbirdError

    def learn(self, episodes: Sequence[Episode]) -> None:
        """Nothing."""

    def snapshot(self) -> bytes | None:
        raise self.why

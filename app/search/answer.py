"""What a search has found, and how it came about; a page of it is what is shown and logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.search.ranked import Ranked
from core.episodes import Impression
from core.types import ArmReport, Candidate, Choice, Features, Query
from core.union import ids_of


@dataclass(frozen=True, slots=True)
class Answer:
    """All candidates in final order. `experiment`, `teams`, `swapped` and `swap_propensity` are those of an Impression,
    for all candidates."""

    query: Query
    choice: Choice
    context: Features
    ranked: Ranked
    arms: Mapping[str, ArmReport]
    release: int
    experiment: str = ""
    teams: tuple[int, ...] = ()
    swapped: int = 0
    swap_propensity: float = 1.0

    @property
    def candidates(self) -> Sequence[Candidate]:
        return self.ranked.candidates

    @property
    def scores(self) -> NDArray[np.float64]:
        """[candidates] as the rankers gave them; later steps may have moved what they belong to."""
        return self.ranked.scores

    @property
    def features(self) -> Features:
        """A row per candidate."""
        return self.ranked.features

    def reordered(self, order: Sequence[int]) -> Answer:
        """See Ranked."""
        return replace(self, ranked=self.ranked.reordered(order))

    def impression(self, *, start: int, size: int, config: str) -> Impression:
        """The page [start, start + size) as it is shown and logged."""
        page, places = self.candidates[start : start + size], self.ranked.places[start : start + size]
        moved = places != tuple(range(start + 1, start + 1 + len(page)))
        return Impression(
            query=self.query,
            choice=self.choice,
            context=self.context,
            shown=ids_of(page),
            # A copy: a part of all rows would keep all of them in memory for as long as the impression is kept.
            features=replace(self.features, values=self.features.values[start : start + size].copy()),
            ranks={arm: tuple([candidate.ranks.get(arm, 0) for candidate in page]) for arm in self.arms},
            arms=self.arms,
            ranker=self.ranked.version,
            release=self.release,
            config=config,
            first_position=start + 1,
            experiment=self.experiment,
            teams=self.teams[start : start + size],
            ranked=places if moved else (),
            neural=self.ranked.neural,
            swapped=self.swapped,
            swap_propensity=self.swap_propensity,
        )

"""What chance does to a page so that it can be learned from: neighbours that change places, samples from below it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.search.answer import Answer
from core.episodes import LAST_SWAPPED, Impression
from core.seeds import generator, uniform


@dataclass(frozen=True, slots=True)
class PageRules:
    """`swap`: the share of pages with one pair of neighbours swapped. `sampled`: how many candidates to draw from below
    the page. All draws are functions of `seed` and the query's id."""

    swap: float = 0.0
    sampled: int = 0
    seed: int = 0

    def swapped(self, answer: Answer, *, start: int, size: int) -> Answer:
        """The answer with at most one pair on the page in each other's place, and the probability of just that.

        Every pair at k and k + 1, k <= 9, is as likely as any other. Interleaved answers stay: their order is a draft.
        """
        end = min(start + size, len(answer.candidates), LAST_SWAPPED + 1)
        pairs = end - start - 1
        if not self.swap or pairs < 1 or answer.teams:
            return answer
        drawn = uniform(self.seed, "swap", answer.query.id) / self.swap
        if drawn >= 1:
            return replace(answer, swap_propensity=1 - self.swap)
        place = start + int(drawn * pairs)
        order = [*range(place), place + 1, place, *range(place + 2, len(answer.candidates))]
        return replace(answer.reordered(order), swapped=place + 1, swap_propensity=self.swap / pairs)

    def with_sampled(self, impression: Impression, answer: Answer, *, end: int) -> Impression:
        """With features of candidates from position `end` + 1 on, as they would have been logged."""
        left = len(answer.candidates) - end
        if not self.sampled or left < 1:
            return impression
        rows = generator(self.seed, "below", answer.query.id).choice(left, min(self.sampled, left), replace=False)
        sampled = replace(answer.features, values=answer.features.values[end + np.sort(rows)])
        return replace(impression, sampled=sampled, below=left)

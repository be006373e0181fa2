"""What feedback is worth: in words and in code.

The gain of a shown item is the largest weight among the positive actions on it, however often they were repeated; an
item that was only dismissed has the (negative) weight of that. The reward of an answer is the sum of its gains, each
divided by log2(1 + position), cut to [-1, 1]: a click on the first result is a full reward, on the third a half.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.episodes import Feedback, Impression


@dataclass(frozen=True, slots=True)
class RewardRule:
    """Action -> weight."""

    weights: Mapping[str, float]

    @property
    def version(self) -> str:
        """Changes with any weight; logged with every release."""
        return hashlib.sha256(json.dumps(dict(self.weights), sort_keys=True).encode()).hexdigest()[:12]

    def gains(self, impression: Impression, feedback: Sequence[Feedback]) -> tuple[float, ...]:
        """One gain per shown item, in order; 0 where nothing happened. Unknown actions count nothing."""
        found: dict[str, list[float]] = {}
        for event in feedback:
            found.setdefault(event.item_id, []).append(self.weights.get(event.action, 0.0))
        return tuple(_gain(found.get(item_id, [])) for item_id in impression.shown)

    @staticmethod
    def reward(gains: Sequence[float], first_position: int) -> float:
        """In [-1, 1]."""
        discounted = sum(gain / math.log2(1 + first_position + n) for n, gain in enumerate(gains))
        return max(-1.0, min(1.0, discounted))


def _gain(weights: Sequence[float]) -> float:
    best = max(weights, default=0.0)
    return best if best > 0 else min(weights, default=0.0)

"""Which of two wins, by a test that may be looked at after every search."""

from __future__ import annotations

import math


def evidence(wins_one: int, wins_other: int) -> float:
    """How many times likelier so many wins are under an unknown coin, every bias alike, than under a fair one.

    A test martingale of the fair coin: chance ever takes it above 1 / alpha with probability alpha at most (Ville 1939;
    Ramdas et al. 2023, "Game-theoretic statistics"). At most the largest float.
    """
    logarithm = (
        math.lgamma(wins_one + 1)
        + math.lgamma(wins_other + 1)
        - math.lgamma(wins_one + wins_other + 2)
        + (wins_one + wins_other) * math.log(2)
    )
    return math.exp(min(logarithm, 700.0))

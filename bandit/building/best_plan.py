"""The best fixed plan for any objective: a cross-entropy search over depths per arm, finished by climbing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.seeds import generator

Depths = NDArray[np.int64]
Doubles = NDArray[np.float64]
Value = Callable[[Depths], Doubles]

_SAMPLES, _ELITE = 300, 30
_ROUNDS = 40
_SMOOTHING = 0.7
_SURE = 0.99


def best_fixed_plan(
    value: Value, arms: Sequence[str], grid: Sequence[int], *, seed: int, restarts: int = 5
) -> dict[str, int]:
    """arm -> depth, without the arms left out, of the best of several searches; a pure function of its arguments.

    `value` maps depths [n, arms], each 0 or one of `grid`, to [n] finite figures, the greater the better. The plan that
    asks nothing is never chosen. InvalidInput when `value` returns anything else.

    Every arm's depth is drawn from a categorical distribution of its own, which moves towards the best tenth of what
    was drawn (Rubinstein and Kroese 2004, "The Cross-Entropy Method"); then one depth is changed at a time while that
    helps, so that the result is at least a local optimum.
    """
    options = np.array(sorted({0, *grid}))

    def score(picks: Depths) -> Doubles:
        return np.where(picks.any(axis=1), _checked(value(options[picks]), len(picks)), -np.inf)

    random = generator(seed, "best fixed plan")
    starts = [_cross_entropy(score, len(arms), len(options), random) for _ in range(restarts)]
    ends = np.array([_climb(score, start, len(options)) for start in starts])
    best = ends[np.argmax(score(ends))]
    return {arm: int(options[pick]) for arm, pick in zip(arms, best, strict=True) if pick}


def _cross_entropy(score: Value, arms: int, options: int, random: np.random.Generator) -> Depths:
    """[arms] the best picks seen."""
    chances = np.full((arms, options), 1 / options)
    best, best_score = np.ones(arms, dtype=np.int64), -np.inf
    for _ in range(_ROUNDS):
        above = random.random((_SAMPLES, arms, 1)) >= chances.cumsum(axis=1)
        picks = np.minimum(above.sum(axis=2), options - 1)
        scores = score(picks)
        order = np.argsort(-scores, kind="stable")
        if scores[order[0]] > best_score:
            best, best_score = picks[order[0]], scores[order[0]]
        shares = (picks[order[:_ELITE], :, None] == np.arange(options)).mean(axis=0)
        chances = _SMOOTHING * shares + (1 - _SMOOTHING) * chances
        if chances.max(axis=1).min() > _SURE:
            break
    return best


def _climb(score: Value, picks: Depths, options: int) -> Depths:
    """[arms] picks that no change of one arm betters."""
    arms = len(picks)
    current = score(picks[None])[0]
    while True:
        near = np.repeat(picks[None], arms * options, axis=0)
        near[np.arange(arms * options), np.repeat(np.arange(arms), options)] = np.tile(np.arange(options), arms)
        scores = score(near)
        best = int(np.argmax(scores))
        if scores[best] <= current:
            return picks
        picks, current = near[best], scores[best]


def _checked(values: Doubles, count: int) -> Doubles:
    if values.shape != (count,) or not np.isfinite(values).all():
        message = f"The objective returned {values.shape} with finite = {bool(np.isfinite(values).all())}."
        raise InvalidInput("bad_objective", message, f"For {count} plans it must return ({count},) finite numbers.")
    return values

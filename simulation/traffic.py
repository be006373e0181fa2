"""Who asks what, how often: a few queries make most of the traffic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from core.seeds import generator

T = TypeVar("T")


def zipf(queries: Sequence[T], *, seed: int, exponent: float = 1.0) -> Iterator[T]:
    """Endless traffic in which the r-th most frequent query has a share proportional to 1 / r ** exponent.

    Which query is how frequent is drawn by the seed.
    """
    random = generator(seed, "traffic")
    order = random.permutation(len(queries))
    weights = np.arange(1, len(queries) + 1, dtype=np.float64) ** -exponent
    return weighted([queries[n] for n in order], weights, random)


def weighted(
    choices: Sequence[T], weights: np.ndarray[tuple[int], np.dtype[np.float64]], random: np.random.Generator
) -> Iterator[T]:
    """Endless draws with the given weights."""
    cumulative = np.cumsum(weights / weights.sum())
    while True:
        yield choices[min(int(np.searchsorted(cumulative, random.random(), side="right")), len(choices) - 1)]

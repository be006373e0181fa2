"""Percentile bootstrap of column means, in bounded memory."""

from __future__ import annotations

import numpy as np

from bandit.ope.evidence import Doubles

_CELLS = 1 << 20  # drawn at once: about 30 MB


def resampled_means(columns: Doubles, *, resamples: int, seed: int) -> Doubles:
    """[resamples, columns]: means of [n, columns] over n rows drawn with replacement (Efron 1979)."""
    rows = len(columns)
    random = np.random.default_rng(seed)
    means = np.empty((resamples, columns.shape[1]))
    step = max(1, _CELLS // rows)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = random.integers(rows, size=(count, rows)) + rows * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows)
        means[start : start + count] = times @ columns / rows
    return means


def percentiles(values: Doubles, confidence: float) -> tuple[float, float]:
    """The middle `confidence` of the values that are numbers; NaN when none is."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)

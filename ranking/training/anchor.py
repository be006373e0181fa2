"""How much rank fusion has to say beside the trees: what few queries have taught is drawn towards what needs no lesson.

Trees from a few hundred queries order others' answers well on average and badly now and then; fusion is never bad. In
the sum of both, the errors of the one that is wrong alone count less: docs/decisions/005-ranking-from-few-queries.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ranking.features.arms import FUSED
from ranking.training.parameters import Parameters
from ranking.training.rows import Doubles, Matrix, Whole

_PAGES = 1_000  # are enough to tell how far apart scores are


def anchor_weight(scores: Doubles, fused: Doubles, groups: Whole, share: float) -> float:
    """What `fused` [n] is to be multiplied by, so that it differs within a page by `share` of what `scores` [n] do.

    Both in standard deviations, means over the pages; `groups` are the sizes of the pages. 0 where fusion says nothing.
    """
    starts = np.concatenate([[0], np.cumsum(groups)[:-1]])
    apart, fusion_apart = (_spread(values, starts, groups) for values in (scores, np.nan_to_num(fused)))
    return share * apart / fusion_apart if fusion_apart > 0 else 0.0


def _spread(values: Doubles, starts: Whole, groups: Whole) -> float:
    """Mean over pages of the standard deviation within."""
    means = np.add.reduceat(values, starts) / groups
    squares = np.add.reduceat((values - np.repeat(means, groups)) ** 2, starts) / groups
    return float(np.sqrt(squares).mean())


def anchor_of(trees: str, rows: Matrix, names: Sequence[str], parameters: Parameters) -> float:
    """The weight of fusion beside these trees (LightGBM's text format), by the first pages they were made of."""
    import lightgbm  # slow to import: see ranking.ltr

    if FUSED not in names or not parameters.anchor:
        return 0.0
    groups = rows.groups[:_PAGES]
    values = rows.values[: groups.sum()]
    scores = np.asarray(lightgbm.Booster(model_str=trees).predict(values, num_threads=1), dtype=np.float64)
    return anchor_weight(scores, values[:, names.index(FUSED)].astype(np.float64), groups, parameters.anchor)

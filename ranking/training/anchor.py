"""How much each arm's ranks have to say beside the trees: what few queries have taught is drawn towards rank fusion.

Trees from a few hundred queries order others' answers well on average and badly now and then; fusion has next to
nothing to learn: a weight for each arm, which every query's clicks tell alike. In the sum of both, the errors of the
one that is wrong alone count less: docs/decisions/005-ranking-from-few-queries.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ranking.anchor import reciprocals
from ranking.features.arms import matching_ranks
from ranking.training.parameters import Parameters
from ranking.training.rows import Doubles, Matrix, Whole

_PAGES = 1_000  # are enough to tell how far apart scores are
# Of a log weight, a priori: little, and not surely so. All clicks together are one observation.
_MEAN, _PRECISION = -2.0, 0.006


def anchor_of(trees: str, rows: Matrix, names: Sequence[str], parameters: Parameters) -> Mapping[str, float]:
    """The weights of the arms beside these trees (LightGBM's text format), by the pages they were made of."""
    import lightgbm  # slow to import: see ranking.ltr

    ranks = matching_ranks(names)
    if not ranks or not parameters.anchor:
        return {}
    found = reciprocals(rows.values[:, [names.index(name) for name in ranks]])
    weights = fusion_weights(found, rows.labels * rows.weights, rows.groups, rows.stands)
    groups = rows.groups[:_PAGES]
    first = slice(int(groups.sum()))
    scores = np.asarray(lightgbm.Booster(model_str=trees).predict(rows.values[first], num_threads=1), dtype=np.float64)
    scale = anchor_scale(scores, found[first] @ weights, groups, parameters.anchor)
    return dict(zip(ranks, (scale * weights).tolist(), strict=True))


def fusion_weights(found: Doubles, gains: Doubles, groups: Whole, stands: Doubles) -> Doubles:
    """[arms] weights above 0 by which the items with gains are most likely: an item is chosen with the softmax of what
    was `found` of it, 1 / (20 + rank) [n, arms], times the weights (Cao et al. 2007, "ListNet"), among the shown and
    those that the sampled ones stand for (Bengio and Senecal 2008, "sampled softmax"). `groups` are the sizes of the
    pages, `stands` [n] for how many each is there.

    A page shows what is best by earlier lessons, and there the ranks of an arm tell less the better the order is; what
    is below tells why the page is better. The logarithms of the weights are drawn a little towards -2 besides: where a
    log says nothing, the arms count alike, and little.
    """
    from scipy.optimize import minimize  # slow to import

    starts = np.concatenate([[0], np.cumsum(groups)[:-1]])
    page = np.repeat(np.arange(len(groups)), groups)
    most = max(float(found.max(initial=0.0)), 1e-9)
    scaled, shares = found / most, gains / max(gains.sum(), 1e-9)
    of_page, wanted = np.add.reduceat(shares, starts), scaled.T @ shares

    def loss(logarithms: Doubles) -> tuple[float, Doubles]:
        """Minus the log-likelihood and the prior's, and the gradient."""
        weights, apart = np.exp(logarithms), logarithms - _MEAN
        scores = scaled @ weights
        scores -= np.maximum.reduceat(scores, starts)[page]
        chances = stands * np.exp(scores)
        sums = np.add.reduceat(chances, starts)
        expected = scaled.T @ (chances / sums[page] * of_page[page])
        unlikely = float(of_page @ np.log(sums) - shares @ scores + _PRECISION * (apart @ apart) / 2)
        return unlikely, (expected - wanted) * weights + _PRECISION * apart

    best: Doubles = np.exp(minimize(loss, np.zeros(found.shape[1]), jac=True, method="L-BFGS-B").x) / most
    return best


def anchor_scale(scores: Doubles, fused: Doubles, groups: Whole, share: float) -> float:
    """What `fused` [n] is to be multiplied by, so that it differs within a page by `share` of what `scores` [n] do, and
    by no more than it does of itself: it is in logarithms of odds, and where clicks say little of it, it says little.

    Both in standard deviations, means over the pages; `groups` are the sizes of the pages. 0 where fusion says nothing.
    """
    starts = np.concatenate([[0], np.cumsum(groups)[:-1]])
    apart, fusion_apart = (_spread(values, starts, groups) for values in (scores, fused))
    return min(share * apart / fusion_apart, 1.0) if fusion_apart > 0 else 0.0


def _spread(values: Doubles, starts: Whole, groups: Whole) -> float:
    """Mean over pages of the standard deviation within."""
    means = np.add.reduceat(values, starts) / groups
    squares = np.add.reduceat((values - np.repeat(means, groups)) ** 2, starts) / groups
    return float(np.sqrt(squares).mean())

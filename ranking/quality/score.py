"""An item's quality from its customers' ratings and words, and the part of it that price does not explain.

Everything is on the shop's rating scale. `n` items, `r` reviews; `item` [r] numbers the item of each review.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.quality.word_weights import Doubles, Ints

_USUAL = 5.0  # reviews that the category's mean counts for, where too few items have two
_LEAST_ITEMS = 10
_BOUNDS = (0.5, 200.0)
_BLEND_PRIOR = 10.0  # items that `ratings as they are, words not at all` counts for
_SLOPE_PRIOR = 20.0  # items that the slope of all categories counts for


@dataclass(frozen=True, slots=True)
class Rated:
    """Means over each item's reviews, [n]; NaN where an item has none. `reliability` is n / (n + strength), 0 there.

    `rating`: drawn towards the category's mean. `opinion`: ratings and words together, as a deviation from the
    category's mean, not shrunken. `usual` [categories]: those means, NaN where nobody rated.
    """

    reviews: Ints
    rating: Doubles
    opinion: Doubles
    reliability: Doubles
    usual: Doubles


def means(values: Doubles, groups: Ints, count: int) -> Doubles:
    """[count] the mean of each group; NaN for those without members."""
    sizes = np.bincount(groups, minlength=count)
    return np.bincount(groups, values, count) / np.where(sizes > 0, sizes, np.nan)


def strength(values: Doubles, item: Ints) -> float:
    """How many reviews the prior counts for: the variance within items over that between them.

    By moments, every item with two reviews counting alike: pooling by reviews would let the few items with hundreds
    speak for all (Efron and Morris 1975, "Data analysis using Stein's estimator", with unequal variances).
    """
    count = int(item.max(initial=-1)) + 1
    sizes = np.bincount(item, minlength=count)
    several = sizes >= 2
    if several.sum() < _LEAST_ITEMS:
        return _USUAL
    mean = means(values, item, count)
    within = float(((values - mean[item]) ** 2).sum() / (sizes - 1)[several].sum())
    between = float((mean[several] ** 2 - within / sizes[several]).mean())
    return float(np.clip(within / max(between, 1e-9), *_BOUNDS))


def rate(ratings: Doubles, words: Doubles, item: Ints, category: Ints) -> Rated:
    """From each review's rating (given or predicted), what its words suggest (NaN: nothing), and categories [n]."""
    count, kinds = len(category), int(category.max(initial=-1)) + 1
    home = category[item]
    usual = means(ratings, home, kinds)
    deviation = ratings - usual[home]
    said = np.nan_to_num(words - means(words, home, kinds)[home])
    prior = strength(deviation, item)
    reviews = np.bincount(item, minlength=count)
    reliability = reviews / (reviews + prior)
    starred, worded = means(deviation, item, count), means(said, item, count)
    by_rating, by_words = blend(deviation, said, item, prior)
    rating = usual[category] + reliability * starred
    return Rated(reviews, rating, by_rating * starred + by_words * worded, reliability, usual)


def blend(deviation: Doubles, said: Doubles, item: Ints, prior: float) -> tuple[float, float]:
    """What an item's mean rating, and what its words suggest, are worth for the ratings of others.

    Weighted least squares of the mean of every second review on the shrunken means of the others, drawn towards (1, 0);
    never below 0.
    """
    count = int(item.max(initial=-1)) + 1
    order = np.argsort(item, kind="stable")
    place = np.empty(len(item), dtype=np.int64)
    place[order] = np.arange(len(item)) - np.searchsorted(item[order], item[order])
    given, asked = place % 2 == 0, place % 2 == 1
    seen, held = np.bincount(item[given], minlength=count), np.bincount(item[asked], minlength=count)
    both = held > 0
    shrunken = (seen / (seen + prior))[both]
    columns = [shrunken * means(each[given], item[given], count)[both] for each in (deviation, said)]
    x, target = np.column_stack(columns), means(deviation[asked], item[asked], count)[both]
    weights = held[both] / (held[both] + prior)
    scale = float((weights[:, None] * x**2).sum() / max(weights.sum(), 1.0)) or 1.0
    pull = _BLEND_PRIOR * scale * np.eye(2)
    found = np.linalg.solve(x.T @ (weights[:, None] * x) + pull, x.T @ (weights * target) + pull @ [1.0, 0.0])
    return max(float(found[0]), 0.0), max(float(found[1]), 0.0)


def residuals(opinion: Doubles, reliability: Doubles, log_price: Doubles, category: Ints) -> Doubles:
    """[n] reliability * (opinion - what the category's line says at that price); NaN without an opinion.

    The line is fitted with the reliabilities as weights, and an item with few reviews is drawn towards the line, not
    towards the category's mean (Fay and Herriot 1979): dear and unknown is no reason to expect little for the money.
    In a large category the residuals are therefore uncorrelated with log price. The slope of a small one is drawn
    towards that of all categories. Items without a price are compared with the mean of their category.
    """
    known = ~np.isnan(opinion)
    priced = known & ~np.isnan(log_price)
    weights = np.where(known, reliability, 0.0)
    centred = np.where(priced, log_price - _level(log_price, weights * priced, category), 0.0)
    slope = _slopes(np.nan_to_num(opinion), centred, weights * priced, category)[category]
    line = np.where(
        priced,
        _level(opinion, weights * priced, category) + slope * centred,
        _level(opinion, weights, category),
    )
    return np.where(known, weights * (opinion - line), np.nan)


def _level(values: Doubles, weights: Doubles, category: Ints) -> Doubles:
    """[n] the weighted mean of each item's category; 0 where nothing weighs."""
    total = np.bincount(category, weights)
    return np.asarray(
        (np.bincount(category, weights * np.nan_to_num(values)) / np.where(total > 0, total, 1.0))[category]
    )


def _slopes(opinion: Doubles, centred: Doubles, weights: Doubles, category: Ints) -> Doubles:
    """[categories] of the weighted regression in each, drawn towards the pooled one as _SLOPE_PRIOR items would."""
    down = opinion - _level(opinion, weights, category)
    products = np.bincount(category, weights * centred * down)
    squares = np.bincount(category, weights * centred**2)
    pooled = products.sum() / max(squares.sum(), 1e-12)
    sizes = np.bincount(category, weights > 0)
    share = sizes / (sizes + _SLOPE_PRIOR)
    own = products / np.where(squares > 1e-12, squares, np.inf)
    return np.asarray(share * own + (1 - share) * pooled)

"""Which items the same customers take more often than chance, and the customers' own appetite, explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Doubles = NDArray[np.float64]

MAX_RELATED = 50
# One customer alone makes no relation: it would be a coincidence, an invitation to cheat, and no secret any more.
MIN_TOGETHER = 2
PRIOR_COUNT = 1.0


@dataclass(frozen=True, slots=True)
class Relations:
    """For item n the entries starts[n]:starts[n + 1], best first: whom it relates to, and on what evidence."""

    starts: Counts
    related: NDArray[np.int32]
    observed: NDArray[np.int32]
    expected: NDArray[np.float32]
    scores: NDArray[np.float32]


class CoEngagement:
    """Counts, observed and expected, of the customers who took one item and another.

    E(X, Y) = sum over the customers c who took X of 1 - (1 - P(Y))^|c|, where |c| is the number of c's other items and
    P(Y) is Y's share of all engagements (Smith and Linden 2017, "Two decades of recommender systems at Amazon.com").
    Customers of X tend to be heavy buyers, who have a lot of everything: that is in |c|, and is no relation.

    The formula draws with replacement and a customer's items are distinct, so E is a little low where |c| comes near
    the number of items.
    """

    def __init__(self, customers: Counts, items: Counts, *, item_count: int) -> None:
        """`customers[n]` took `items[n]`, both numbered from 0, the items below `item_count`; repeats count once."""
        customers, items = np.divmod(np.unique(customers * item_count + items), max(item_count, 1))
        takers = np.bincount(items, minlength=item_count)
        sizes = np.bincount(customers)
        self._item_count = item_count
        self._items_by_customer = np.split(items, np.cumsum(sizes)[:-1])
        self._customers_by_item = np.split(customers[np.argsort(items, kind="stable")], np.cumsum(takers)[:-1])
        # E depends on a customer only by |c| and on Y only by how often it is taken, and there are few different values
        # of either (at most sqrt(2 * engagements)): one small table holds every power there is.
        others, self._group = np.unique(np.maximum(sizes - 1, 0), return_inverse=True)
        taken, self._column = np.unique(takers, return_inverse=True)
        share = taken / max(len(items), 1)
        self._chance: Doubles = 1 - (1 - share[None, :]) ** others[:, None]

    def __len__(self) -> int:
        """The number of items."""
        return self._item_count

    def observed(self, item: int) -> Counts:
        """[items] customers who took `item` and the other one; 0 for `item` itself."""
        baskets = [self._items_by_customer[customer] for customer in self._customers_by_item[item].tolist()]
        if not baskets:
            return np.zeros(self._item_count, dtype=np.int64)
        counts = np.bincount(np.concatenate(baskets), minlength=self._item_count)
        counts[item] = 0
        return counts

    def expected(self, item: int) -> Doubles:
        """[items] E(item, other); 0 for `item` itself."""
        groups, customers = np.unique(self._group[self._customers_by_item[item]], return_counts=True)
        expected: Doubles = (customers.astype(np.float64) @ self._chance[groups])[self._column]
        expected[item] = 0.0
        return expected


def significance(observed: Counts, expected: Doubles) -> Doubles:
    """(N - E) / sqrt(E + 1): by how many standard deviations a Poisson count with mean E is exceeded.

    N - E alone favours what is popular and N / E what is rare. The added count keeps two customers of two rare items,
    whose E is next to nothing, from beating twelve where three were expected.
    """
    scores: Doubles = (observed - expected) / np.sqrt(expected + PRIOR_COUNT)
    return scores


def relate(engagements: CoEngagement, *, most: int = MAX_RELATED, least: int = MIN_TOGETHER) -> Relations:
    """The `most` strongest relations of every item, from `least` common customers and more than expected.

    Ties go to the lower item number. Time grows with the sum over customers of the square of their items.
    """
    found = [_strongest(engagements, item, most, least) for item in range(len(engagements))]
    related, observed, expected, scores = (
        np.concatenate([part[n] for part in found] or [np.zeros(0)]) for n in range(4)
    )
    return Relations(
        starts=np.cumsum([0, *(len(part[0]) for part in found)], dtype=np.int64),
        related=related.astype(np.int32),
        observed=observed.astype(np.int32),
        expected=expected.astype(np.float32),
        scores=scores.astype(np.float32),
    )


def _strongest(engagements: CoEngagement, item: int, most: int, least: int) -> tuple[Counts, Counts, Doubles, Doubles]:
    """The related items with N, E and score, best first."""
    observed, expected = engagements.observed(item), engagements.expected(item)
    others = np.flatnonzero((observed >= least) & (observed > expected))
    scores = significance(observed[others], expected[others])
    best = np.argsort(-scores, kind="stable")[:most]
    others = others[best]
    return others, observed[others], expected[others], scores[best]

"""What anybody could know of the tastes in `personal`: the order by the exact posterior, from the same clicks.

Whoever knew how that world was made, all but the tastes themselves, would rank like this. What the service reaches is
to be read beside it. `python -m benchmarks.ranking.personal_bound` prints.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.ranking.personal import (
    _CLICKS,
    _EVERY_S,
    _HELD_OUT,
    _PAGE,
    _SEARCHES,
    _USERS,
    BAND,
    BRAND,
    CHEAP,
    EVERYBODY,
    SEEDS,
    Doubles,
    _items,
    _ndcg,
    _World,
    _world,
)
from benchmarks.tables import table
from core.seeds import generator
from core.types import Item

_LIKED = 3 / 20  # of the brands
_BANDS = 3

# brand, price band, clicked, probability that it was looked at
_Seen = tuple[str, int, bool, float]


class _Posterior:
    """Of one customer: the probability of each price band and, given it, of each brand."""

    def __init__(self, seen: Sequence[_Seen], brands: Sequence[str]) -> None:
        by_brand: Mapping[str, list[_Seen]] = defaultdict(list)
        for each in seen:
            by_brand[each[0]].append(each)
        levels, self._liked = np.zeros(_BANDS), dict.fromkeys(brands, np.full(_BANDS, _LIKED))
        for brand, shown in by_brand.items():
            not_liked, liked = (_likelihoods(shown, extra) for extra in (0.0, BRAND))
            if brand in self._liked:
                either = np.logaddexp(np.log(_LIKED) + liked, np.log(1 - _LIKED) + not_liked)
                self._liked[brand] = np.exp(np.log(_LIKED) + liked - either)
                levels += either
            else:
                levels += not_liked
        self._band = np.exp(levels - levels.max())
        self._band /= self._band.sum()

    def appeal(self, brands: Sequence[str], bands: Sequence[int]) -> Doubles:
        """[items] expected."""
        liked = np.array([float(self._band @ self._liked.get(brand, np.zeros(_BANDS))) for brand in brands])
        appeal: Doubles = CHEAP * (np.array(bands) == 0) + BRAND * liked + BAND * self._band[list(bands)]
        return appeal


def _likelihoods(shown: Sequence[_Seen], extra: float) -> Doubles:
    """[bands] log of it, for a customer who likes this band."""
    _, bands, clicked, looked = (np.array(column) for column in zip(*shown, strict=True))
    appeal = EVERYBODY + extra + CHEAP * (bands == 0) + BAND * (bands == np.arange(_BANDS)[:, None])
    found: Doubles = np.where(clicked, np.log(looked * appeal), np.log1p(-np.minimum(looked * appeal, 1 - 1e-9))).sum(1)
    return found


def _described(found: Sequence[Item]) -> tuple[list[str], list[int]]:
    """Brand and price band of every item."""
    prices = np.array([item.numbers.get("price", 0.0) for item in found])
    bands = np.searchsorted(np.quantile(prices, [1 / 3, 2 / 3]), prices)
    return [next(iter(item.attributes.get("brand", ())), "") for item in found], bands.tolist()


def _clicked(world: _World) -> Mapping[str, list[_Seen]]:
    """By customer, the showings and clicks of `personal`."""
    random = generator(world.seed, "clicks")
    seen: defaultdict[str, list[_Seen]] = defaultdict(list)
    for number in range(_SEARCHES):
        user = f"user-{random.integers(_USERS)}"
        found = [candidate.item for candidate in world.search(number, user, number * _EVERY_S)[1]]
        brands, bands = _described(found)
        looked = 1 / np.log2(2 + np.arange(_PAGE))
        taken = random.random(_PAGE) < looked * world.appeal(user, found[:_PAGE])
        seen[user] += zip(brands, bands, taken.tolist(), looked.tolist(), strict=False)
    return seen


def bound(world: _World) -> tuple[float, float]:
    """nDCG@10 for the known customers of `personal`, by what all share and by what each is known to like."""
    seen = _clicked(world)
    clicks = Counter({user: sum(clicked for _, _, clicked, _ in shown) for user, shown in seen.items()})
    known = [user for user, count in sorted(clicks.items()) if count >= _CLICKS]
    posteriors, stranger = {user: _Posterior(seen[user], world.brands) for user in known}, _Posterior((), world.brands)
    random, values = generator(world.seed, "held out"), []
    for number in range(_SEARCHES, _SEARCHES + _HELD_OUT):
        user = known[int(random.integers(len(known)))]
        found = [candidate.item for candidate in world.search(number, user, number * _EVERY_S)[1]]
        truth = world.appeal(user, found)
        values.append([_ndcg(each.appeal(*_described(found)), truth) for each in (stranger, posteriors[user])])
    without, own = np.mean(values, axis=0).tolist()
    return without, own


if __name__ == "__main__":
    items, _ = _items()
    bounds = {seed: bound(_world(items, seed)) for seed in SEEDS}
    rows: list[list[str | float]] = [
        [str(seed), without, own, own / without] for seed, (without, own) in bounds.items()
    ]
    print("\n".join(table(["seed", "without", "with", "ratio"], rows)))

"""What anybody could know of the tastes in `personal_world`: the order by the exact posterior, from the same clicks.

Whoever knew how that world was made, all but the tastes themselves, would rank like this. What the service reaches is
to be read beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.ranking.personal_world import (
    BAND,
    BANDS,
    BRAND,
    BRANDS,
    CLICKS,
    EVERY_S,
    EVERYBODY,
    HELD_OUT,
    LIKED,
    PAGE,
    SEARCHES,
    USERS,
    Doubles,
    World,
    looked,
    ndcg,
    price_bands,
)
from core.seeds import generator
from core.types import Item

_CHANCE = LIKED / BRANDS  # that a brand is liked

# brand, price band, clicked, probability that it was looked at
_Seen = tuple[str, int, bool, float]


class _Posterior:
    """Of one customer: the probability of each price band and, given it, of each brand."""

    def __init__(self, seen: Sequence[_Seen], world: World) -> None:
        self._cheap = world.cheap
        by_brand: Mapping[str, list[_Seen]] = defaultdict(list)
        for each in seen:
            by_brand[each[0]].append(each)
        levels, self._liked = np.zeros(BANDS), dict.fromkeys(world.brands, np.full(BANDS, _CHANCE))
        for brand, shown in by_brand.items():
            not_liked, liked = (_likelihoods(shown, extra, world.cheap) for extra in (0.0, BRAND))
            if brand in self._liked:
                either = np.logaddexp(np.log(_CHANCE) + liked, np.log(1 - _CHANCE) + not_liked)
                self._liked[brand] = np.exp(np.log(_CHANCE) + liked - either)
                levels += either
            else:
                levels += not_liked
        self._band = np.exp(levels - levels.max())
        self._band /= self._band.sum()

    def appeal(self, brands: Sequence[str], bands: Sequence[int]) -> Doubles:
        """[items] expected."""
        liked = np.array([float(self._band @ self._liked.get(brand, np.zeros(BANDS))) for brand in brands])
        appeal: Doubles = self._cheap * (np.array(bands) == 0) + BRAND * liked + BAND * self._band[list(bands)]
        return appeal


def _likelihoods(shown: Sequence[_Seen], extra: float, cheap: float) -> Doubles:
    """[bands] log of it, for a customer who likes this band."""
    _, bands, clicked, examined = (np.array(column) for column in zip(*shown, strict=True))
    appeal = EVERYBODY + extra + cheap * (bands == 0) + BAND * (bands == np.arange(BANDS)[:, None])
    found: Doubles = np.where(
        clicked, np.log(examined * appeal), np.log1p(-np.minimum(examined * appeal, 1 - 1e-9))
    ).sum(1)
    return found


def _described(found: Sequence[Item]) -> tuple[list[str], list[int]]:
    """Brand and price band of every item."""
    return [next(iter(item.attributes.get("brand", ())), "") for item in found], price_bands(found).tolist()


def _clicked(world: World) -> Mapping[str, list[_Seen]]:
    """By customer, the showings and clicks of the world."""
    random = generator(world.seed, "clicks")
    seen: defaultdict[str, list[_Seen]] = defaultdict(list)
    for number in range(SEARCHES):
        user = f"user-{random.integers(USERS)}"
        found = [candidate.item for candidate in world.search(number, user, number * EVERY_S)[1]]
        brands, bands = _described(found)
        taken = random.random(PAGE) < looked(PAGE) * world.appeal(user, found[:PAGE])
        seen[user] += zip(brands, bands, taken.tolist(), looked(PAGE).tolist(), strict=False)
    return seen


def bound(world: World) -> tuple[float, float]:
    """nDCG@10 for the known customers of the world, by what all share and by what each is known to like."""
    seen = _clicked(world)
    clicks = Counter({user: sum(clicked for _, _, clicked, _ in shown) for user, shown in seen.items()})
    known = [user for user, count in sorted(clicks.items()) if count >= CLICKS]
    posteriors, stranger = {user: _Posterior(seen[user], world) for user in known}, _Posterior((), world)
    random, values = generator(world.seed, "held out"), []
    for number in range(SEARCHES, SEARCHES + HELD_OUT):
        user = known[int(random.integers(len(known)))]
        found = [candidate.item for candidate in world.search(number, user, number * EVERY_S)[1]]
        truth = world.appeal(user, found)
        values.append([ndcg(each.appeal(*_described(found)), truth) for each in (stranger, posteriors[user])])
    without, own = np.mean(values, axis=0).tolist()
    return without, own

"""What is taken more often lately than it usually is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.client_cap import ClientCap
from core.episodes import Episode, Impression
from core.rates import Rates, posterior
from core.types import ItemId, Query

Doubles = NDArray[np.float64]

# Fewer takes are chance, whatever was expected; and no fashion multiplies a score by more.
FEWEST_TAKES = 5.0
MOST_LIFT = 3.0
_OWN_ARM = "popular"
_OWN_STRENGTH = 20.0  # showings that the mean of all items counts for in an item's own
_LEAST, _MOST_ITEMS = 0.02, 100_000
_ALL = ItemId("")


class Trend(NamedTuple):
    """Takes that count at the time, and how many of them were to be expected."""

    item_id: ItemId
    takes: float
    expected: float


class _Takes:
    """Takes and showings per item. `led`: takes of what another arm found. `own`: what only the popular arm found."""

    def __init__(self, half_life_s: float) -> None:
        self.led, self.own = Rates[ItemId](half_life_s), Rates[ItemId](half_life_s)

    def add(self, item_id: ItemId, *, own: bool, take: float, examined: float, time: float) -> None:
        if own or take:
            rates = self.own if own else self.led
            for key in (item_id, _ALL):
                rates.add(key, gain=take, examined=examined if own else 0.0, time=time)

    def at(self, time: float) -> tuple[dict[ItemId, float], dict[ItemId, tuple[float, float]]]:
        """Item -> takes led by others; item -> (takes, showings) of our own; the sums under _ALL."""
        led = {item_id: takes for item_id, takes, _ in self.led.at(time)}
        own = {item_id: (takes, examined) for item_id, takes, examined in self.own.at(time)}
        return led, own

    def prune(self, time: float) -> None:
        for rates in (self.led, self.own):
            rates.prune(time, least=_LEAST, most=_MOST_ITEMS)


class Trends:
    """Takes of every item with a short and with a long memory.

    Of what other arms found, an item is expected to have as many takes lately as is its usual share of all; of what
    only the popular arm found, as many as its usual rate gives for these showings. So neither more traffic nor our own
    showing of what trends makes a trend. A client's takes of one item count `client_cap` times in a short half-life.
    """

    def __init__(self, *, half_life_s: float, usual_half_life_s: float, client_cap: int) -> None:
        self._period_s = half_life_s
        self._lately, self._usual = _Takes(half_life_s), _Takes(usual_half_life_s)
        self._cap = ClientCap(client_cap)

    def add(self, episode: Episode) -> None:
        impression = episode.impression
        query = impression.query
        own = _only_ours(impression)
        for n, (item_id, gain) in enumerate(zip(impression.shown, episode.gains, strict=True)):
            if own[n] or gain > 0:
                take = float(gain > 0 and self._admits(query, item_id))
                for takes in (self._lately, self._usual):
                    takes.add(item_id, own=own[n], take=take, examined=episode.examination[n], time=query.time)

    def at(self, time: float) -> Iterator[Trend]:
        """Items with at least FEWEST_TAKES, and more of them than expected beyond doubt; `time` as in Rates.at."""
        (led, own), (usual_led, usual_own) = self._lately.at(time), self._usual.at(time)
        all_takes, all_showings = usual_own.get(_ALL, (0.0, 0.0))
        mean = all_takes / all_showings if all_showings else 0.0
        share = led.get(_ALL, 0.0) / max(usual_led.get(_ALL, 0.0), 1e-9)
        for item_id in (led.keys() | own.keys()) - {_ALL}:
            own_takes, showings = own.get(item_id, (0.0, 0.0))
            takes = led.get(item_id, 0.0) + own_takes
            if takes >= FEWEST_TAKES:
                gain, examined = usual_own.get(item_id, (0.0, 0.0))
                rate = posterior(prior=mean, strength=_OWN_STRENGTH, gain=gain, examined=examined)
                trend = Trend(item_id, takes, usual_led.get(item_id, 0.0) * share + rate * showings)
                if lifts([trend])[0] > 1:
                    yield trend

    def prune(self, time: float) -> None:
        """Forget what no longer counts."""
        self._lately.prune(time)
        self._usual.prune(time)

    def _admits(self, query: Query, item_id: ItemId) -> bool:
        return self._cap.admits(query, f"{item_id}\n{int(query.time // self._period_s)}")


def lifts(trends: Sequence[Trend]) -> Doubles:
    """[len(trends)] factors on the scores of these items, 1..MOST_LIFT: what is beyond doubt of observed / expected.

    The lower 95% credibility limit of (O + 1/2) / (E + 1/2), O being a Poisson count (Noren et al. 2013, "Shrinkage
    observed-to-expected ratios for robust and transparent large-scale pattern discovery").
    """
    observed = np.array([trend.takes for trend in trends], dtype=np.float64) + 0.5
    expected = np.array([trend.expected for trend in trends], dtype=np.float64) + 0.5
    doubt = 3.3 * observed**-0.5 + 2 * observed**-1.5
    limit: Doubles = np.clip(observed / expected * 2**-doubt, 1.0, MOST_LIFT)
    return limit


def _only_ours(impression: Impression) -> list[bool]:
    """Of each shown item, whether the popular arm found it and no other did."""
    own = impression.ranks.get(_OWN_ARM)
    if own is None:
        return [False] * len(impression.shown)
    others = [ranks for arm, ranks in impression.ranks.items() if arm != _OWN_ARM]
    found = map(any, zip(*others, strict=True)) if others else [False] * len(own)
    return [bool(rank) and not other for rank, other in zip(own, found, strict=True)]

"""A/B: who gets which variant, always the same one, and how much the variants differ in reward."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from bandit.draw import holder
from core.errors import InvalidInput
from core.seeds import uniform
from core.types import Query

# The interval is that of large samples: with fewer clients on a side it would promise too much.
FEWEST_CLIENTS = 30
_Z95 = NormalDist().inv_cdf(0.975)


def unit(query: Query) -> str:
    """What is assigned: the client, of an unknown client the session, otherwise the single search."""
    return query.client_id or query.session_id or query.id


def assign(experiment: str, client: str, shares: Mapping[str, float]) -> str:
    """The variant of a client: a function of the experiment's name and the client, independent between experiments.

    `shares` are those of the variants, in order. InvalidInput unless they are at least 0 and sum to 1.
    """
    if not math.isclose(sum(shares.values()), 1) or min(shares.values()) < 0:
        message = f"The shares of experiment {experiment!r} are {dict(shares)}."
        raise InvalidInput("bad_shares", message, "Give shares of at least 0 that sum to 1.")
    return holder(shares, uniform(0, f"experiment {experiment}", client))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean reward of a search under both variants; `difference` is second - first, with its 95 % `interval`."""

    mean_first: float
    mean_second: float
    clients_first: int
    clients_second: int
    difference: float
    interval: tuple[float, float]
    p_value: float

    @property
    def verdict(self) -> str:
        """The result in words."""
        if min(self.clients_first, self.clients_second) < FEWEST_CLIENTS:
            return "too few"
        low, high = self.interval
        if low > 0 or high < 0:
            return "second is better" if low > 0 else "first is better"
        return "no difference seen"


def compare(first: Collection[Sequence[float]], second: Collection[Sequence[float]]) -> Comparison:
    """From the rewards of every client's searches, one non-empty sequence a client.

    Clients were assigned, not searches, and the searches of one client are alike: the variance is that between
    clients, by the delta method for a ratio of sums (Deng, Knoblich and Lu 2018), and the interval normal.
    """
    (mean_first, variance_first), (mean_second, variance_second) = clustered_mean(first), clustered_mean(second)
    difference = mean_second - mean_first
    error = math.sqrt(variance_first + variance_second)
    return Comparison(
        mean_first=mean_first,
        mean_second=mean_second,
        clients_first=len(first),
        clients_second=len(second),
        difference=difference,
        interval=(difference - _Z95 * error, difference + _Z95 * error),
        p_value=_p_value(difference, error),
    )


def clustered_mean(clients: Collection[Sequence[float]]) -> tuple[float, float]:
    """(mean reward of a search, variance of that mean); the variance of fewer than two clients is infinite."""
    searches = sum(map(len, clients))
    mean = math.fsum(map(math.fsum, clients)) / searches if searches else 0.0
    if len(clients) < 2:
        return mean, math.inf
    squares = math.fsum((math.fsum(rewards) - mean * len(rewards)) ** 2 for rewards in clients)
    return mean, len(clients) / (len(clients) - 1) * squares / searches**2


def _p_value(difference: float, error: float) -> float:
    if not error:
        return float(difference == 0)
    return 2 * NormalDist().cdf(-abs(difference) / error)

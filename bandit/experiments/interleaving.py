"""Interleaving: two rankings in one list, and which of them the clicks prefer."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from core.seeds import uniform
from core.types import ItemId

NOBODY, FIRST, SECOND = 0, 1, 2
SIGNIFICANT = 0.05
# With fewer decided searches, a preference of 60 : 40 would more often be missed than seen.
FEWEST_DECIDED = 100
_MOST_EXACT = 1_000
_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Interleaved:
    """`teams[i]` is who drafted `items[i]`: FIRST, SECOND, or NOBODY."""

    items: tuple[ItemId, ...]
    teams: tuple[int, ...]


def team_draft(first: Sequence[ItemId], second: Sequence[ItemId], *, seed: int, key: str) -> Interleaved:
    """Both rankings in one list, every item of either once (Radlinski, Kurup and Joachims 2008).

    In each round a coin says who picks first, then the other picks; a pick is one's best item that is not drafted yet.
    When one ranking has nothing left, the rest of the other follows in its order and is NOBODY's: there is no contest.
    The coins are a function of `seed` and `key`, the id of the query.
    """
    teams: dict[ItemId, int] = {}  # in the order of the draft
    left = {FIRST: deque(first), SECOND: deque(second)}
    for heads in _coins(seed, key):
        if not all(left.values()):
            break
        for team in (FIRST, SECOND) if heads else (SECOND, FIRST):
            if left[team]:
                teams[left[team].popleft()] = team
            for ranking in left.values():
                while ranking and ranking[0] in teams:
                    ranking.popleft()
    for item_id in (*left[FIRST], *left[SECOND]):
        teams.setdefault(item_id, NOBODY)
    return Interleaved(tuple(teams), tuple(teams.values()))


def _coins(seed: int, key: str) -> Iterator[bool]:
    for number in itertools.count():
        yield uniform(seed, "draft", f"{key}/{number}") < 0.5


def credit(teams: Sequence[int], gains: Sequence[float]) -> tuple[int, int]:
    """How many items of each team were clicked: those with a gain above 0. ValueError unless both are as long."""
    clicked = [team for team, gain in zip(teams, gains, strict=True) if gain > 0]
    return clicked.count(FIRST), clicked.count(SECOND)


@dataclass(frozen=True, slots=True)
class Preference:
    """Which ranking won how many searches.

    `delta` is the share that the second won, ties counting half, minus a half, in [-0.5, 0.5] (Chapelle, Joachims,
    Radlinski and Yue 2012, there for the first). `interval` holds the second's share of the decided searches with
    95 %, `p_value` is that of a fair coin.
    """

    wins_first: int
    wins_second: int
    ties: int
    delta: float
    p_value: float
    interval: tuple[float, float]

    @property
    def verdict(self) -> str:
        """The result in words."""
        if self.p_value < SIGNIFICANT:
            return "second is better" if self.wins_second > self.wins_first else "first is better"
        if self.wins_first + self.wins_second < FEWEST_DECIDED:
            return "too few"
        return "no difference seen"


def preference(credited: Iterable[tuple[float, float]]) -> Preference:
    """Counts (credit of the first, credit of the second) of searches; those without any credit compare nothing.

    The coins are thrown for each search, so searches of one client are fair comparisons as well.
    """
    compared = [(first, second) for first, second in credited if first or second]
    wins_first = sum(first > second for first, second in compared)
    wins_second = sum(second > first for first, second in compared)
    ties = len(compared) - wins_first - wins_second
    return Preference(
        wins_first=wins_first,
        wins_second=wins_second,
        ties=ties,
        delta=(wins_second + ties / 2) / len(compared) - 0.5 if compared else 0.0,
        p_value=sign_test(wins_first, wins_second),
        interval=wilson(wins_second, wins_first + wins_second),
    )


def sign_test(one: int, other: int) -> float:
    """The two-sided p-value of so uneven a split by a fair coin; 1 of nothing.

    Exact binomial up to 1,000 throws, beyond that normal with continuity correction, which differs by less than 0.001.
    """
    throws, fewer = one + other, min(one, other)
    if throws <= _MOST_EXACT:
        return min(1.0, 2 * sum(math.comb(throws, wins) for wins in range(fewer + 1)) / (1 << throws))
    return min(1.0, 2 * NormalDist(throws / 2, math.sqrt(throws) / 2).cdf(fewer + 0.5))


def wilson(wins: int, throws: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); all of [0, 1] of nothing."""
    if not throws:
        return 0.0, 1.0
    share, square = wins / throws, _Z95**2
    centre = (share + square / (2 * throws)) / (1 + square / throws)
    half = _Z95 / (1 + square / throws) * math.sqrt(share * (1 - share) / throws + square / (4 * throws**2))
    return max(0.0, centre - half), min(1.0, centre + half)

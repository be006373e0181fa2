"""Does a candidate hurt the people who get it? Comparisons that may be looked at as often as one likes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bandit.experiments.assignment import FEWEST_CLIENTS, clustered_mean
from bandit.ope.evidence import effective_size

# The size of effect for which the sequential test is sharpest; it holds for every size.
_REWARD_SCALE, _SHARE_SCALE = 0.05, 0.02
_LATE = 0.01  # the share of searches beyond a p99


@dataclass(frozen=True, slots=True)
class Seen:
    """What guardrails need of one search: `client` as assigned, `empty` when nothing was shown, its slowest arm."""

    client: str
    time: float
    reward: float
    empty: bool
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over searches, and its standard error between clients (infinite for fewer than two)."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Group:
    """The searches of one policy. `empty` is the zero-result rate, `late` the share slower than the group's limit.

    `effective_clients`: how many clients who search equally often tell as much (Kish 1965), so that a few busy ones are
    not taken for many.
    """

    searches: int
    clients: int
    reward: Mean
    empty: Mean
    late: Mean
    p99_ms: float
    effective_clients: float

    @property
    def large_enough(self) -> bool:
        """Whether normal intervals can be trusted."""
        return self.effective_clients >= FEWEST_CLIENTS


@dataclass(frozen=True, slots=True)
class Limits:
    """What is tolerated beyond chance: a higher zero-result rate by `empty_margin`, a p99 `slow_factor` times as long.

    `alpha`: the probability that a policy that is no different is ever called worse, or better, in one comparison.
    """

    empty_margin: float
    slow_factor: float
    alpha: float


def group(seen: Sequence[Seen], *, late_ms: float = math.inf) -> Group:
    """The figures of these searches; `late_ms` is what `late` counts from."""
    times = [each.milliseconds for each in seen]
    counts = Counter(each.client for each in seen)
    return Group(
        searches=len(seen),
        clients=len(counts),
        effective_clients=effective_size(np.array([float(count) for count in counts.values()])),
        reward=_mean(seen, [each.reward for each in seen]),
        empty=_mean(seen, [float(each.empty) for each in seen]),
        late=_mean(seen, [float(took > late_ms) for took in times]),
        p99_ms=float(np.quantile(times, 0.99)) if times else 0.0,
    )


def groups(candidate: Sequence[Seen], champion: Sequence[Seen], limits: Limits) -> tuple[Group, Group]:
    """(candidate, champion), where late is what takes `slow_factor` times the champion's p99."""
    serving = group(champion)
    return group(candidate, late_ms=limits.slow_factor * serving.p99_ms), serving


def margin(error: float, *, alpha: float, scale: float, degrees: float = math.inf) -> float:
    """How far from 0 a difference with this standard error must be to be significant, however often one looks.

    The mixture sequential probability ratio test (Robbins 1970; Johari, Pekelis and Walsh 2017, "Always valid
    inference"): with a normal prior of standard deviation `scale` on the difference, chance passes it at any time with
    probability `alpha` at most, both sides together. For an error from few clients, `degrees` of freedom, the normal
    quantile is widened to Student's (Abramowitz and Stegun 1964, 26.7.5, its first term).
    """
    if not 0 < error < math.inf:
        return error
    ratio = (scale / error) ** 2
    normal = math.sqrt(2 * (1 + 1 / ratio) * (math.log(1 / alpha) + math.log1p(ratio) / 2))
    return error * (normal + (normal**3 + normal) / (4 * degrees))


def difference(candidate: Group, champion: Group, alpha: float) -> tuple[float, float, float]:
    """(difference in reward of a search, its lower bound, its upper bound), valid at every look."""
    found = candidate.reward.value - champion.reward.value
    allowed = _margin(candidate, champion, _error(candidate.reward, champion.reward), alpha, _REWARD_SCALE)
    return found, found - allowed, found + allowed


def guardrails(candidate: Group, champion: Group, limits: Limits, *, whose: str = "the champion's") -> str | None:
    """The first guardrail that the candidate breaks significantly, as a sentence; None while it breaks none.

    `whose` figures it is compared with, in words.
    """
    if not (candidate.large_enough and champion.large_enough):
        return None
    found, _, high = difference(candidate, champion, limits.alpha)
    if high < 0:
        return f"A search earns {-found:.3f} less than {whose} {champion.reward.value:.3f}."
    if _emptier(candidate, champion, limits):
        return f"{candidate.empty.value:.1%} of its searches find nothing, of {whose} {champion.empty.value:.1%}."
    if _slower(candidate, champion, limits):
        return (
            f"Its p99 is {candidate.p99_ms:.0f} ms, more than {limits.slow_factor:g} times"
            f" {whose} {champion.p99_ms:.0f} ms."
        )
    return None


def _emptier(candidate: Group, champion: Group, limits: Limits) -> bool:
    beyond = candidate.empty.value - champion.empty.value - limits.empty_margin
    return beyond > _margin(candidate, champion, _error(candidate.empty, champion.empty), limits.alpha, _SHARE_SCALE)


def _slower(candidate: Group, champion: Group, limits: Limits) -> bool:
    beyond = candidate.late.value - _LATE
    return beyond > _margin(candidate, champion, candidate.late.error, limits.alpha, _SHARE_SCALE)


def _error(candidate: Mean, champion: Mean) -> float:
    return math.hypot(candidate.error, champion.error)


def _margin(candidate: Group, champion: Group, error: float, alpha: float, scale: float) -> float:
    degrees = max(1.0, min(candidate.effective_clients, champion.effective_clients) - 1)
    return margin(error, alpha=alpha, scale=scale, degrees=degrees)


def figures(candidate: Group, champion: Group, alpha: float) -> Mapping[str, float]:
    """What a decision about these groups is logged with."""
    found, low, high = difference(candidate, champion, alpha)
    numbers = {"searches": float(candidate.searches), "clients": candidate.effective_clients, "difference": found}
    numbers |= {"low": low, "high": high, "reward": candidate.reward.value, "champion_reward": champion.reward.value}
    numbers |= {"empty": candidate.empty.value, "champion_empty": champion.empty.value}
    numbers |= {"p99_ms": candidate.p99_ms, "champion_p99_ms": champion.p99_ms}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def _mean(seen: Sequence[Seen], values: Sequence[float]) -> Mean:
    clients: dict[str, list[float]] = {}
    for each, value in zip(seen, values, strict=True):
        clients.setdefault(each.client, []).append(value)
    mean, variance = clustered_mean(clients.values())
    return Mean(mean, math.sqrt(variance))

"""A reward model for DM and DR that needs nothing but the log: each plan's mean reward in the other half of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bandit.ope.episodes import RewardModel
from core.episodes import Episode
from core.seeds import uniform
from core.types import Features, Query

_PRIOR_ROWS = 20.0


def plan_rates(episodes: Sequence[Episode], plans: Sequence[str], *, seed: int = 1) -> RewardModel:
    """Cross-fitted in two halves by query id, so that no row is predicted from itself.

    A plan's mean is drawn towards that of its half as if by 20 more rows. It is the mean over the queries that the plan
    was drawn for: where the logging policy chose by query, DM inherits that bias, and DR does not.
    """
    halves = [[episode for episode in episodes if _half(episode.impression.query, seed) == half] for half in (0, 1)]
    rates = [_rates(half, plans) for half in reversed(halves)]

    def model(query: Query, context: Features) -> Mapping[str, float]:
        return rates[_half(query, seed)]

    return model


def _half(query: Query, seed: int) -> int:
    return int(uniform(seed, "half", query.id) < 0.5)


def _rates(episodes: Sequence[Episode], plans: Sequence[str]) -> dict[str, float]:
    rewards: dict[str, list[float]] = {plan: [] for plan in plans}
    for episode in episodes:
        rewards.setdefault(episode.impression.choice.plan.name, []).append(episode.reward)
    mean = sum(episode.reward for episode in episodes) / max(1, len(episodes))
    return {plan: (_PRIOR_ROWS * mean + sum(earned)) / (_PRIOR_ROWS + len(earned)) for plan, earned in rewards.items()}

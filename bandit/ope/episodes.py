"""From logged episodes and a policy to the evidence about that policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from bandit.ope.evidence import Evidence
from bandit.plans import PlanLibrary
from core.episodes import Episode
from core.errors import BowerbirdError
from core.protocols import Policy
from core.types import Features, Query

# Expected reward of every plan that the policy can draw, by name.
RewardModel = Callable[[Query, Features], Mapping[str, float]]


def evidence_from(
    episodes: Iterable[Episode],
    policy: Policy,
    *,
    include_degraded: bool = False,
    model: RewardModel | None = None,
    library: PlanLibrary | None = None,
) -> Evidence:
    """One row per usable search, in order; `left_out` counts the others.

    Left out: `other_surface` (not search), `forced` (the plan was asked for, not drawn), `interleaved` (what
    was shown is of two plans), `degraded` (an arm did not
    answer, so that what was done is not what was drawn; unless included), `refused` (the policy, or the model, was made
    for other context features). A plan that the policy does not know has the probability 0, and so has one that goes by
    the same name but has other depths in `library`, the policy's own plans.
    """
    left_out: Counter[str] = Counter()
    rows = []
    for episode in episodes:
        why = _unusable(episode, include_degraded)
        if why is None:
            try:
                rows.append(_row(episode, policy, model, library))
            except BowerbirdError:
                why = "refused"
        if why is not None:
            left_out[why] += 1
    rewards, logged, target, predicted, expected = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    if model is None:
        return Evidence(rewards, logged, target, left_out=dict(left_out))
    return Evidence(rewards, logged, target, predicted, expected, left_out=dict(left_out))


def _unusable(episode: Episode, include_degraded: bool) -> str | None:
    impression = episode.impression
    if impression.query.surface != "search":
        return "other_surface"
    if impression.choice.policy == "forced":
        return "forced"
    if impression.mixed:
        return "interleaved"
    return "degraded" if impression.degraded and not include_degraded else None


def _row(
    episode: Episode, policy: Policy, model: RewardModel | None, library: PlanLibrary | None
) -> tuple[float, float, float, float, float]:
    """(reward, logged, target, predicted, expected)."""
    query, context, choice = episode.impression.query, episode.impression.context, episode.impression.choice
    chances = policy.propensities(query, context)
    known = library is None or choice.plan in library.plans
    target = chances.get(choice.plan.name, 0.0) if known else 0.0
    if model is None:
        return episode.reward, choice.propensity, target, 0.0, 0.0
    rewards = model(query, context)
    expected = sum(chance * rewards[name] for name, chance in chances.items())
    return episode.reward, choice.propensity, target, rewards.get(choice.plan.name, 0.0), expected

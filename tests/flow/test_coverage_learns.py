"""In a world whose truth is obvious, the policy that learned from its own log beats every fixed plan."""

from __future__ import annotations

import numpy as np
import pytest
from bandit_world import COST_PER_MS, LIBRARY, best_fixed, oracle, policy_value, search, visit

from bandit.coverage.learner import CoverageLearner
from bandit.coverage.policy import CoveragePolicy
from bandit.misguided import MisguidedPolicy
from bandit.terms import Terms
from bandit.warmup import WarmupPolicy
from core.protocols import Policy


def learned(seed: int, *, episodes: int = 2_000, batch: int = 100) -> Policy:
    """Serve, log and learn in turns, as the service does."""
    random = np.random.default_rng(seed)
    learner = CoverageLearner(LIBRARY, seed, Terms(200, COST_PER_MS, gamma=20.0, floor=0.02))
    policy: Policy = WarmupPolicy(LIBRARY, seed, 0.2)
    for start in range(0, episodes, batch):
        learner.learn([visit(policy, search(start + n, random), random) for n in range(batch)])
        if (model := learner.snapshot()) is not None:
            policy = CoveragePolicy.load(model, seed=seed)
    learner.close()
    return policy


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_learned_policy_lies_between_the_best_fixed_plan_and_the_oracle(seed: int) -> None:
    random = np.random.default_rng(1000 + seed)
    fresh = [search(n, random) for n in range(300)]
    policy = learned(seed)
    found, fixed, perfect = policy_value(policy, fresh), best_fixed(fresh), oracle(fresh)
    share = (found - fixed) / (perfect - fixed)
    assert 0.7 < share < 0.95, f"{found:.3f} of best fixed {fixed:.3f} and oracle {perfect:.3f}"
    assert policy_value(MisguidedPolicy(LIBRARY, policy, seed=seed), fresh) < fixed


def test_no_model_before_enough_clicked_episodes() -> None:
    random = np.random.default_rng(1)
    warmup = WarmupPolicy(LIBRARY, 1, 0.2)
    learner = CoverageLearner(LIBRARY, 1, Terms(50, 0.0, gamma=1.0, floor=0.02))
    clicked = 0
    while clicked < 49:
        clicked += (seen := visit(warmup, search(clicked, random), random)).reward > 0
        learner.learn([seen])
    assert learner.snapshot() is None
    while not (seen := visit(warmup, search(50, random), random)).reward:
        pass
    learner.learn([seen])
    assert learner.snapshot() is not None
    assert learner.snapshot() is None  # nothing new since
    learner.close()

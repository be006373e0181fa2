"""In a world whose truth is obvious, VW's bandit over plans learns from its own log too, if less than coverage does."""

from __future__ import annotations

import numpy as np
import pytest
from bandit_world import COST_PER_MS, LIBRARY, best_fixed, oracle, policy_value, search, visit

from bandit.adf.learner import AdfLearner
from bandit.adf.policy import VwAdfPolicy
from bandit.terms import Terms
from bandit.uniform import UniformPolicy
from bandit.warmup import WarmupPolicy
from core.protocols import Policy


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_lies_between_the_best_fixed_plan_and_the_oracle(seed: int) -> None:
    random = np.random.default_rng(seed)
    learner = AdfLearner(LIBRARY, seed, Terms(200, COST_PER_MS, gamma=20.0, floor=0.02))
    policy: Policy = WarmupPolicy(LIBRARY, seed, 0.2)
    for start in range(0, 3_000, 100):
        learner.learn([visit(policy, search(start + n, random), random) for n in range(100)])
        if (model := learner.snapshot()) is not None:
            policy = VwAdfPolicy.load(model, seed=seed)
    learner.close()
    fresh = [search(n, random) for n in range(300)]
    found, fixed, perfect = policy_value(policy, fresh), best_fixed(fresh), oracle(fresh)
    share = (found - fixed) / (perfect - fixed)
    assert 0.1 < share < 0.9, f"{found:.3f} of best fixed {fixed:.3f} and oracle {perfect:.3f}"
    assert found > 2 * policy_value(UniformPolicy(LIBRARY, seed), fresh)

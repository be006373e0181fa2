"""How long the coverage policy takes to choose, with 32 plans and as many context features as the service has."""

from __future__ import annotations

import numpy as np

from bandit.coverage.policy import CoverageModel, CoveragePolicy
from benchmarks.bandit.worlds import library
from benchmarks.timing import timed
from core.types import Features, Query, QueryId

CONTEXT_FEATURES = 60


def choice_speed(count: int = 5_000) -> dict[str, float]:
    """p50 and p99 in milliseconds of one choice after another, in one thread."""
    plans, random = library(), np.random.default_rng(1)
    names, heads = tuple(f"context.{n}" for n in range(CONTEXT_FEATURES)), len(plans.heads)
    model = CoverageModel(
        library=plans,
        names=names,
        weights=random.normal(scale=0.3, size=(heads + 1, CONTEXT_FEATURES + 1)),
        corrections=random.normal(scale=0.1, size=(len(plans.plans), CONTEXT_FEATURES + 1)),
        head_ms=random.exponential(5.0, size=heads),
        gamma=1e5,
        floor=0.02,
        cost_per_ms=1e-5,
        novelty=np.eye(CONTEXT_FEATURES + 1) / CONTEXT_FEATURES,
    )
    policy = CoveragePolicy(model, seed=1)
    contexts = [Features(names, row) for row in random.random((500, CONTEXT_FEATURES)).astype(np.float32)]
    queries = [Query(QueryId(f"q{n}"), "lamp", 0.0) for n in range(500)]
    return timed(lambda n: policy.choose(queries[n % 500], contexts[n % 500]), count)

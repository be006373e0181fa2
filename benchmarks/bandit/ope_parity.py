"""How far our off-policy estimates are from those of vw-estimators, on random logs (figure `ope.parity_diff`)."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from bandit.ope.cressie_read import cressie_read
from bandit.ope.estimators import estimates, terms
from bandit.ope.evidence import Evidence

SEEDS = 20


def ope_parity() -> dict[str, Any]:
    return {"figures": {"ope.parity_diff": parity_diff()}, "logs": SEEDS}


def parity_diff(seeds: int = SEEDS) -> float:
    """The largest absolute difference of any estimate or bound; logs of 1 to 3,000 rows with binary or real rewards."""
    return max(difference(random_log(seed), 0.5 + 0.49 * (seed % 2)) for seed in range(seeds))


def random_log(seed: int) -> Evidence:
    """Probabilities that favour some of 2 to 9 actions, and targets that are 0 now and then."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(2, 3_000))
    actions = int(random.integers(2, 10))
    logging, target = (random.dirichlet(np.ones(actions), size=rows) * 0.9 + 0.1 / actions for _ in range(2))
    action = (random.uniform(size=(rows, 1)) > logging.cumsum(axis=1)[:, :-1]).sum(axis=1)
    every = np.arange(rows)
    rewards = random.uniform(size=rows) if seed % 2 else (random.uniform(size=rows) < 0.3).astype(float)
    supported = random.uniform(size=rows) < 0.9
    return Evidence(rewards, logging[every, action], target[every, action] * supported)


def difference(evidence: Evidence, confidence: float = 0.95, largest: float = math.inf) -> float:
    """Of the estimates of one log; `largest` is the largest possible weight."""
    ours, theirs = _ours(evidence, confidence, largest), _theirs(evidence, confidence, largest)
    return float(np.max(np.abs(np.subtract(ours, theirs))))


def _ours(evidence: Evidence, confidence: float, largest: float) -> list[float]:
    found = estimates(terms(evidence).mean(axis=0))
    ranges = {"reward_range": (0.0, 1.0), "weight_range": (0.0, largest)}
    return [float(found["ips"]), float(found["snips"]), *cressie_read(evidence, confidence=confidence, **ranges)]


def _theirs(evidence: Evidence, confidence: float, largest: float) -> list[float]:
    from estimators.bandits import cressieread, ips, snips

    parts = [ips.Estimator(), snips.Estimator(), cressieread.Estimator(wmax=largest)]
    interval = cressieread.Interval(wmax=largest)
    for logged, reward, target in zip(evidence.logged, evidence.rewards, evidence.target, strict=True):
        for part in (*parts, interval):
            part.add_example(float(logged), float(reward), float(target))
    return [*(part.get() for part in parts), *interval.get(alpha=1 - confidence)]


if __name__ == "__main__":
    print(json.dumps(ope_parity(), indent=2))

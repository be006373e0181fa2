"""The toy world of bandit_world, with clients, a clock, bots, and a rollout that decides who serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from bandit_world import COST_PER_MS, LIBRARY, search, visit

from app.learning.rollout import RolloutGate
from bandit.coverage.learner import CoverageLearner
from bandit.coverage.policy import CoverageModel, CoveragePolicy
from bandit.rollout import Rules
from bandit.rollouts.guardrails import Limits
from bandit.terms import Terms
from bandit.warmup import WarmupPolicy
from core.episodes import Episode
from core.protocols import Policy
from feedback.registry import FileRegistry

WARMUP = WarmupPolicy(LIBRARY, 1, 0.2)
CLIENTS = 200
PURCHASE = 3.0
RULES = Rules(
    stages=(0.01, 0.1, 0.5),
    control=0.05,
    gate_searches=1_000,
    retrain_searches=200,
    stage_searches=100,
    max_searches=5_000,
    margin=0.02,
    limits=Limits(empty_margin=0.01, slow_factor=1.5, alpha=0.05),
)


def policy_of(model: bytes) -> Policy:
    return CoveragePolicy(CoverageModel.load(model), seed=1) if model else WARMUP


class World:
    """One clock and one stream of searches; a search takes a second."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.searches = 0

    @property
    def now(self) -> float:
        return float(self.searches)

    def log(self, policy: Policy, count: int, *, applauded: str = "") -> list[Episode]:
        """What people do under a policy, or bots who purchase nothing but the items of the arm they applaud."""
        return [self._search(policy, applauded) for _ in range(count)]

    def _search(self, policy: Policy, applauded: str) -> Episode:
        self.searches += 1
        client = f"{'bot' if applauded else 'client'}-{self._random.integers(CLIENTS)}"
        asked = search(self.searches, self._random)
        asked = replace(asked, query=replace(asked.query, client_id=client, time=self.now))
        seen = visit(policy, replace(asked, knows=applauded or asked.knows), self._random)
        if applauded:
            seen = replace(seen, gains=tuple(PURCHASE * gain for gain in seen.gains))
        choice = policy.choose(asked.query, asked.context)
        return replace(seen, impression=replace(seen.impression, query=asked.query, choice=choice))


class Loop:
    """Learner, gate and registry, as the learning loop connects them."""

    def __init__(self, folder: Path, world: World, build: Callable[[], CoverageLearner] | None = None) -> None:
        self.world = world
        self.registry = FileRegistry(folder)
        self.gate = RolloutGate(self.registry, policy_of, LIBRARY, RULES, seed=1)
        self.learner = build() if build else learner()

    def step(self, episodes: list[Episode]) -> None:
        self.learner.learn(episodes)
        self.gate.learn(episodes)
        model = self.learner.snapshot()
        current = self.registry.current()
        if admitted := self.gate.admit({"policy": model} if model else {}, current, self.world.now):
            self.registry.publish(admitted, onto=current)


def learner() -> CoverageLearner:
    return CoverageLearner(LIBRARY, 1, Terms(200, COST_PER_MS, gamma=20.0, floor=0.02))

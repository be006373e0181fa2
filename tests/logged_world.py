"""A logged bandit whose every expectation is known: two contexts, three actions, clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandit.ope import Evidence

REWARDS = np.array([[0.2, 0.5, 0.7], [0.6, 0.3, 0.1]])  # [context, action], each context as likely
LOGGING = np.array([[0.5, 0.3, 0.2], [0.3, 0.3, 0.4]])
TARGET = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])


def value(policy: np.ndarray) -> float:
    """The exact mean reward of a policy [context, action]."""
    return float((policy * REWARDS).sum(axis=1).mean())


@dataclass(frozen=True)
class World:
    """What noise there is, and what the log is asked about."""

    target: np.ndarray
    logging: np.ndarray
    model: np.ndarray | None = None
    noise: bool = True

    def log(self, rows: int, seed: int) -> Evidence:
        random = np.random.default_rng(seed)
        context = random.integers(2, size=rows)
        action = (random.uniform(size=rows)[:, None] > self.logging.cumsum(axis=1)[context][:, :2]).sum(axis=1)
        means = REWARDS[context, action]
        rewards = (random.uniform(size=rows) < means).astype(float) if self.noise else means
        chances = self.logging[context, action], self.target[context, action]
        if self.model is None:
            return Evidence(rewards, *chances)
        expected = (self.target * self.model).sum(axis=1)[context]
        return Evidence(rewards, *chances, self.model[context, action], expected)

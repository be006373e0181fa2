"""How far plans earn more or less than the union of their arms says, by the query, followed as it changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
# What the priors are worth in information, of which a label of a plan that earns half the time brings a quarter: of
# one number for all queries, and of each weight that tells queries apart.
_PRIOR, _PRIOR_BY_QUERY = 50.0, 200.0
_KEPT = 0.9995  # of the information at each episode: the last 2,000 count, because arms change
_GATHERED = 25  # episodes between two steps


class PlanCorrections:
    """Per plan the mean of a Gaussian belief on a linear function of the context, added to the log-odds of its reward.

    Logistic regression on top of what is predicted already, by Newton steps with forgetting. One number per plan would
    be too little where arms find the same for one kind of query and different things for another.
    """

    def __init__(self, plans: int, width: int) -> None:
        self.weights = np.zeros((plans, width + 1))
        self._prior = np.diag(np.append(np.full(width, _PRIOR_BY_QUERY), _PRIOR))
        self._information = np.zeros((plans, width + 1, width + 1))
        self._gradient = np.zeros((plans, width + 1))
        self._gathered = 0

    def __call__(self, values: Doubles) -> Doubles:
        """[plans] log-odds to add for a context [width]."""
        return added(self.weights, values)

    def learn(self, values: Doubles, told: NDArray[np.bool_], predicted: Doubles, earned: Doubles) -> None:
        """One episode: [plans] whose label it is, the reward that was predicted, and the one that was earned."""
        known = np.append(values, 1.0)
        information = np.where(told, predicted * (1 - predicted), 0.0)
        self._information += information[:, None, None] * np.outer(known, known)
        self._gradient += np.where(told, earned - predicted, 0.0)[:, None] * known
        self._gathered += 1
        if self._gathered == _GATHERED:
            self._step()

    def _step(self) -> None:
        self.weights = (
            self.weights + np.linalg.solve(self._information + self._prior, self._gradient[:, :, None])[:, :, 0]
        )
        self._information *= _KEPT**_GATHERED
        self._gradient[:] = 0.0
        self._gathered = 0


def added(weights: Doubles, values: NDArray[np.floating]) -> Doubles:
    """[plans] from weights [plans, width + 1], the intercept last."""
    sums: Doubles = weights[:, :-1] @ values + weights[:, -1]
    return sums

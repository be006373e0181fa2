"""How far plans earn more or less than the union of their arms says, followed as it changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
# The prior is worth so much information; a label of a plan that earns half the time is worth a quarter.
_PRIOR = 50.0
_KEPT = 0.9995  # of the information at each label: the last 2,000 count, because arms change


class PlanOffsets:
    """The mean of a Gaussian belief on each plan's offset, by one Newton step of the logistic likelihood per label."""

    def __init__(self, plans: int) -> None:
        self.values = np.zeros(plans)
        self._information = np.full(plans, _PRIOR)

    def learn(self, told: NDArray[np.bool_], predicted: Doubles, earned: Doubles) -> None:
        """[plans] each: whose label it is, the reward that was predicted, and the one that was earned."""
        information = predicted * (1 - predicted)
        kept = np.maximum(_KEPT * self._information, _PRIOR) + information
        self._information = np.where(told, kept, self._information)
        self.values = self.values + np.where(told, (earned - predicted) / self._information, 0.0)

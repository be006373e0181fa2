"""Estimates of a policy's mean reward from another policy's log.

SWITCH and clipped IPS are left out: their intervals cover too rarely.
"""

from __future__ import annotations

import numpy as np

from bandit.ope.evidence import Doubles, Evidence

# One column each of `terms`.
_WEIGHT, _WEIGHTED, _REWARD, _GAIN, _EXPECTED, _CORRECTION = range(6)


def terms(evidence: Evidence) -> Doubles:
    """[n, 6], or [n, 4] without a model: every estimate is a function of the means of these columns."""
    weights, rewards = evidence.weights, evidence.rewards
    columns = [weights, weights * rewards, rewards, rewards * (weights - 1)]
    if evidence.predicted is not None and evidence.expected is not None:
        columns += [evidence.expected, weights * (rewards - evidence.predicted)]
    return np.stack(columns, axis=1)


def estimates(means: Doubles) -> dict[str, Doubles]:
    """Name -> [...] from means [..., columns] of `terms`; NaN where nothing has a weight.

    `ips` (Horvitz and Thompson 1952), `snips` (Swaminathan and Joachims 2015), `dm` and `dr` (Dudik et al. 2011);
    `logging`, the mean reward of the log itself; `gain`, the mean of r (w - 1), which is `ips` minus `logging` row by
    row, and `gain_self_normalised`, which is `snips` minus `logging`. Both are exactly 0 where every weight is 1.
    """
    weight, weighted, reward, gain = (means[..., column] for column in range(4))
    found = {
        "ips": weighted,
        "snips": _ratio(weighted, weight),
        "logging": reward,
        "gain": gain,
        "gain_self_normalised": _ratio(gain - reward * (weight - 1), weight),
    }
    if means.shape[-1] > _EXPECTED:
        found |= {"dm": means[..., _EXPECTED], "dr": means[..., _EXPECTED] + means[..., _CORRECTION]}
    return found


def _ratio(above: Doubles, below: Doubles) -> Doubles:
    found: Doubles = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) > 0)
    return found

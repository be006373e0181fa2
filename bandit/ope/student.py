"""The critical value of Student's t distribution."""

from __future__ import annotations

import math

import numpy as np

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(64)


def critical_value(confidence: float, degrees: int) -> float:
    """t with P(|T| <= t) = `confidence` in (0, 1), for `degrees` >= 1 of freedom; its square is that of F(1, degrees).

    With T = sqrt(degrees) tan(angle) the density is proportional to cos(angle)^(degrees - 1), which Gauss-Legendre
    integrates to about 1e-9; bisection does the rest.
    """
    low, high = 0.0, math.pi / 2 if degrees < 50 else math.atan(12 / math.sqrt(degrees))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _within(angle: float, degrees: int) -> float:
    """P(|T| <= sqrt(degrees) tan(angle))."""
    scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(math.pi) / 2
    density = np.exp(scale + (degrees - 1) * np.log(np.cos(angle * (_NODES + 1) / 2)))
    return float(angle * (_NODE_WEIGHTS @ density))

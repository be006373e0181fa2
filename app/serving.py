"""What serves: the models of one release, and the experiment that runs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.protocols import Policy, Ranker


@dataclass(frozen=True, slots=True)
class Serving:
    """The models of one release, swapped as one reference: a request sees one release or the other."""

    release: int
    policy: Policy
    ranker: Ranker
    experiment: Experiment | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """Two variants of what serves. `share` is that of the clients who get the second, or interleaved answers."""

    kind: Literal["ab", "interleave"]
    name: str
    first: Serving
    second: Serving
    share: float
    seed: int

"""What serves: the models of one release, and the experiment that runs beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.protocols import Policy, Ranker


@dataclass(frozen=True, slots=True)
class Serving:
    """The models of one release, swapped as one reference: a request sees one release or the other.

    `components` maps the name of each model of the release to its hash.
    """

    release: int
    policy: Policy
    ranker: Ranker
    experiment: Experiment | None = None
    components: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """Two variants of what serves. `share` is that of the clients who get the second, or interleaved answers."""

    kind: Literal["ab", "interleave"]
    name: str
    first: Serving
    second: Serving
    share: float
    seed: int

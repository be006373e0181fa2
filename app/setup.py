"""What the configuration decides and can change while serving: one value, replaced as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.degradation.guarded_arm import ArmLimits
from app.search.page_rules import PageRules
from app.search.pipeline import Pipeline
from app.search.serving import Serving
from core.protocols import Policy
from core.types import Plan


@dataclass(frozen=True, slots=True)
class Setup:
    """`config`: the hash of the settings it was made from. `request_ms`: how long a search may take.

    `policies` makes those that have a name from the one that serves.
    """

    pipeline: Pipeline
    rules: PageRules
    plans: Mapping[str, Plan]
    load_models: Callable[[], Serving]
    policies: Callable[[Policy], Mapping[str, Policy]]
    config: str
    request_ms: float
    limits: Mapping[str, ArmLimits]
    shadow_share: float
    shadow_depth: int

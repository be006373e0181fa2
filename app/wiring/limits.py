"""How long each arm may take, and when it is left alone."""

from __future__ import annotations

from collections.abc import Mapping

from app.degradation.guarded_arm import ArmLimits
from app.settings import Settings
from app.wiring.plans import ARMS
from core.errors import InvalidConfig, unknown


def arm_limits(settings: Settings) -> Mapping[str, ArmLimits]:
    """By arm. InvalidConfig for an arm that there is not."""
    own, wanted = settings.retrieval.arm_deadline_ms, settings.degradation
    for name in own:
        if name not in ARMS:
            raise InvalidConfig(
                "unknown_arm", unknown("arm in retrieval.arm_deadline_ms", name, ARMS), "Name one of these."
            )
    common = settings.retrieval.deadline_ms
    return {name: ArmLimits(own.get(name, common), wanted.failures, wanted.open_s) for name in ARMS}

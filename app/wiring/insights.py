"""What the learner notices for the studio, as configured."""

from __future__ import annotations

from collections.abc import Mapping

from app.insights.learned import Insights
from app.learning.rollout import POLICY, stored
from app.settings import Settings
from app.wiring.plans import plan_library
from app.wiring.policies import policy_of_kind, warmup
from app.wiring.stores import open_registry
from bandit.fixed import FixedPolicy
from bandit.uniform import UniformPolicy
from core.protocols import Policy
from feedback.registry import usable


def build_insights(settings: Settings) -> Insights:
    library = plan_library(settings)
    registry = open_registry(settings)

    def policies() -> Mapping[str, Policy]:
        """What serves, the candidate if there is one, and baselines."""
        release = registry.current()
        served = policy_of_kind(settings.policy.kind, settings, library, usable(registry, release, POLICY))
        found = {"served": served}
        if settings.rolls_out and (model := stored(registry, release).candidate):
            found["candidate"] = policy_of_kind(settings.policy.kind, settings, library, model)
        return found | {
            "warmup": warmup(settings, library),
            "uniform": UniformPolicy(library, settings.policy.seed),
            "fixed": FixedPolicy(library, settings.retrieval.default_plan),
        }

    return Insights(
        settings.data_dir,
        library,
        policies,
        control=settings.rollout.control if settings.rolls_out else None,
        window_s=settings.feedback.window_s,
    )

"""The arms by name, and the plans that ask them."""

from __future__ import annotations

from app.settings import Settings
from bandit.plans import PlanLibrary
from core.types import Plan

ARMS = ("lexical", "structured", "vector", "sparse", "memory", "related", "personal", "explore", "popular")
# The arms whose ranks and scores the ranker sees. Each costs three features, and more of them have not paid for
# themselves yet: see docs/decisions/005-ranking-from-few-queries.md.
RANKED_ARMS = ("lexical", "vector", "memory", "popular")


def plan_library(settings: Settings) -> PlanLibrary:
    """The configured plans, checked against the arms there are."""
    plans = tuple(Plan(name, depths) for name, depths in settings.retrieval.plans.items())
    return PlanLibrary(plans, default=settings.retrieval.default_plan, arms=ARMS)

"""The actions of the bandit: a library of plans, each a depth per arm, checked before anything is served."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidConfig, unknown
from core.types import Plan

_DEEPEST = 1_000


@dataclass(frozen=True, slots=True)
class PlanLibrary:
    """Plans in a fixed order, and the one that serves while nothing is known. Refuses what could not be served."""

    plans: tuple[Plan, ...]
    default: str
    arms: Collection[str] = field(compare=False)

    def __post_init__(self) -> None:
        if not self.plans:
            raise _invalid("The library has no plan.", "Give at least one under [retrieval.plans].")
        names = [plan.name for plan in self.plans]
        for plan in self.plans:
            self._check(plan)
            if names.count(plan.name) > 1:
                raise _invalid(f"Two plans are called {plan.name!r}.", "Rename one of them.")
        if self.default not in names:
            raise _invalid(unknown("default plan", self.default, names), "Name one of the plans.")
        seen: dict[tuple[tuple[str, int], ...], str] = {}
        for plan in self.plans:
            twin = seen.setdefault(tuple(sorted(plan.depths.items())), plan.name)
            if twin != plan.name:
                raise _invalid(f"Plans {twin!r} and {plan.name!r} are the same.", "Remove one of them.")

    @property
    def version(self) -> str:
        """Eight hex digits that change with any plan, its order, or the default."""
        return hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()[:8]

    @property
    def heads(self) -> tuple[tuple[str, int], ...]:
        """Every (arm, depth) that a plan asks for, sorted."""
        return tuple(sorted({head for plan in self.plans for head in plan.depths.items()}))

    def plan(self, name: str) -> Plan:
        """InvalidConfig when no plan has that name."""
        for plan in self.plans:
            if plan.name == name:
                return plan
        raise _invalid(unknown("plan", name, [plan.name for plan in self.plans]), "Name one of the plans.")

    def to_json(self) -> dict[str, Any]:
        return {"default": self.default, "plans": [[plan.name, dict(plan.depths)] for plan in self.plans]}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> PlanLibrary:
        plans = tuple(Plan(name, depths) for name, depths in raw["plans"])
        return cls(plans, raw["default"], {arm for plan in plans for arm in plan.depths})

    def _check(self, plan: Plan) -> None:
        if not plan.depths:
            raise _invalid(f"Plan {plan.name!r} asks no arm.", "Give it a depth for at least one arm.")
        for arm, depth in plan.depths.items():
            if arm not in self.arms:
                raise _invalid(f"Plan {plan.name!r}: {unknown('arm', arm, self.arms)}", "Correct the plan.")
            if not 1 <= depth <= _DEEPEST:
                message = f"Plan {plan.name!r} asks {depth} candidates of {arm!r}; allowed are 1 to {_DEEPEST}."
                raise _invalid(message, "To leave an arm out, don't name it.")


def _invalid(message: str, remedy: str) -> InvalidConfig:
    return InvalidConfig("bad_plans", message, remedy)

"""A plan or a policy that a request names instead of letting the serving policy choose: for looking around only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from core.errors import InvalidInput, unknown

Forced = TypeVar("Forced")


def check_forced(plan: str | None, policy: str | None, *, preview: bool) -> None:
    """InvalidInput for both at once, and without `preview`: such an answer's propensity says nothing of what serves."""
    if plan is not None and policy is not None:
        raise InvalidInput(
            "plan_and_policy",
            f"Both plan = {plan!r} and policy = {policy!r} were given.",
            "Give one of them: a policy chooses the plan.",
        )
    for name, value in (("plan", plan), ("policy", policy)):
        if value is not None and not preview:
            raise InvalidInput(
                f"{name}_needs_preview",
                f"{name} = {value!r} was given without preview.",
                f"Set preview to true: an answer by a chosen {name} is neither logged nor learned from.",
            )


def named(what: str, known: Mapping[str, Forced], name: str) -> Forced:
    """InvalidInput names those there are."""
    if name not in known:
        raise InvalidInput(f"unknown_{what}", unknown(what, name, known), "Name one of these, or leave it out.")
    return known[name]

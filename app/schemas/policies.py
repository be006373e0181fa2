"""GET /v1/policies, POST /v1/policies/promote and POST /v1/policies/rollback."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, Field

from app.schemas.parts import model
from bandit.rollout import Decision
from core.protocols import Release

_DECISION = {
    "time": "2026-07-20T08:26:40+00:00",
    "what": "passed",
    "policy": "coverage-8c1f0a2b31",
    "reason": "The operator promoted it by force. It gets 1% of the clients.",
    "figures": {},
}


class RoleBody(BaseModel):
    """A policy version and its share of the clients; a candidate at the gate has none yet."""

    model_config = model({"role": "champion", "policy": "coverage-8c1f0a2b31", "share": 0.95})

    role: str
    policy: str
    share: float


class DecisionBody(BaseModel):
    """What was decided about a version, when, and why in a sentence."""

    model_config = model(_DECISION)

    time: str
    what: str
    policy: str
    reason: str
    figures: dict[str, float | None]

    @classmethod
    def of(cls, found: Decision) -> DecisionBody:
        return cls.model_construct(
            time=iso(found.time),
            what=found.what,
            policy=found.policy,
            reason=found.reason,
            figures=dict(found.figures),
        )


class ReleaseBody(BaseModel):
    """A published set of models; `components` by the first ten digits of their hashes."""

    model_config = model(
        {
            "number": 12,
            "created": "2026-07-20T08:26:40+00:00",
            "current": True,
            "components": {"policy": "8c1f0a2b31"},
            "notes": {"episodes": "3000"},
        }
    )

    number: int
    created: str
    current: bool
    components: dict[str, str]
    notes: dict[str, str]

    @classmethod
    def of(cls, release: Release, current: Release | None) -> ReleaseBody:
        return cls.model_construct(
            number=release.number,
            created=iso(release.created),
            current=current is not None and current.number == release.number,
            components={name: digest[:10] for name, digest in release.components.items()},
            notes=dict(release.notes),
        )


class PoliciesAnswer(BaseModel):
    """What serves, who gets it, what was decided, and the releases to go back to, newest first.

    With `rollout` false every learned policy serves at once: there are no stages and no decisions.
    """

    model_config = model(
        {
            "kind": "coverage",
            "served": "coverage-8c1f0a2b31",
            "release": 12,
            "rollout": True,
            "stages": [0.01, 0.1, 0.5],
            "stage": 1,
            "roles": [RoleBody.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
            "decisions": [_DECISION],
            "releases": [ReleaseBody.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
        }
    )

    kind: str
    served: str
    release: int
    rollout: bool
    stages: list[float]
    stage: int | None = Field(default=None, description="Of the candidate: 0 is the gate; absent without one.")
    roles: list[RoleBody]
    decisions: list[DecisionBody] = Field(description="Newest first.")
    releases: list[ReleaseBody]


class PromoteBody(BaseModel):
    """Move the candidate one stage up. Without `force`, gate and guardrails must agree."""

    model_config = model({"force": False})

    force: bool = False


class RollbackBody(BaseModel):
    """Go back: to a numbered release, or, without one, drop the candidate or return to the champion before."""

    model_config = model({"release": 11})

    release: int | None = None


class RolledBack(BaseModel):
    """The release that is current now, or the decision."""

    model_config = model({"release": 11})

    release: int | None = None
    decision: DecisionBody | None = None


def iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")

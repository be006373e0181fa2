"""GET /v1/policies, POST /v1/policies/promote and POST /v1/policies/rollback."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from app.jobs.rollout_operator import Standing, promote_candidate, standing, take_back
from app.routes.dependencies import Configured, Running, json
from app.schemas.parts import ErrorAnswer
from app.schemas.policies import (
    DecisionBody,
    PoliciesAnswer,
    PromoteBody,
    ReleaseBody,
    RoleBody,
    RollbackBody,
    RolledBack,
)
from app.web.access import Guarded, needs

router = APIRouter(tags=["policies"], route_class=Guarded)
_REFUSED: dict[int | str, dict[str, Any]] = {404: {"model": ErrorAnswer}, 409: {"model": ErrorAnswer}}


@router.get("/v1/policies", response_model=PoliciesAnswer, dependencies=[needs("admin")])
def policies(service: Running, settings: Configured) -> Response:
    """What serves and who gets it, what was decided about it and why, and the releases to go back to."""
    found = standing(settings) if settings.rolls_out else None
    current = service.registry.current()
    releases = reversed(service.registry.releases())
    return json(
        PoliciesAnswer.model_construct(
            kind=settings.policy.kind,
            served=service.serving.policy.version,
            release=service.serving.release,
            rollout=found is not None,
            stages=list(settings.rollout.stages) if found else [],
            stage=found.rollout.stage if found and found.rollout.candidate else None,
            roles=_roles(found) if found else [],
            decisions=[DecisionBody.of(each) for each in reversed(found.rollout.decisions)] if found else [],
            releases=[ReleaseBody.of(each, current) for each in releases],
        )
    )


@router.post("/v1/policies/promote", response_model=DecisionBody, dependencies=[needs("admin")], responses=_REFUSED)
def promote(body: PromoteBody, service: Running, settings: Configured) -> Response:
    """What `bowerbird policy promote` does. Reads the newest 100,000 searches of the log unless forced."""
    decision = promote_candidate(settings, force=body.force)
    service.reload()
    return json(DecisionBody.of(decision))


@router.post("/v1/policies/rollback", response_model=RolledBack, dependencies=[needs("admin")], responses=_REFUSED)
def rollback(body: RollbackBody, service: Running, settings: Configured) -> Response:
    """What `bowerbird policy rollback` does. The learner goes on publishing."""
    if body.release is None:
        answer = RolledBack.model_construct(release=None, decision=DecisionBody.of(take_back(settings)))
    else:
        answer = RolledBack.model_construct(release=service.registry.activate(body.release).number, decision=None)
    service.reload()
    return json(answer)


def _roles(found: Standing) -> list[RoleBody]:
    roles = [
        RoleBody.model_construct(role=role, policy=policy.version, share=share)
        for role, (policy, share) in found.serving.parts.items()
    ]
    if found.rollout.candidate and "candidate" not in {each.role for each in roles}:
        roles.append(RoleBody.model_construct(role="candidate", policy=found.rollout.candidate, share=0.0))
    return roles

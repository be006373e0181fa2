"""GET /v1/plans and GET /v1/readings."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.routes.dependencies import Configured, Running, json
from app.schemas.plans import PlansAnswer, ReadingBody, ReadingsAnswer
from app.service import Service, new_query_id
from app.settings import Settings
from app.web.access import Guarded, needs
from app.wiring.plans import ARMS
from bandit.rollouts.staged import StagedPolicy
from core.errors import InvalidInput
from core.types import Query

router = APIRouter(tags=["looking around"], route_class=Guarded)


@router.get("/v1/plans", response_model=PlansAnswer, dependencies=[needs("admin")])
def plans(service: Running, settings: Configured, query: str | None = None, policy: str = "served") -> Response:
    """The plans there are and, with a query, the chance that a policy draws each. Of a policy that is being rolled out,
    `served` is the champion: who gets which part depends on the client."""
    chosen, chances = service.policy(policy), None
    if isinstance(chosen, StagedPolicy):
        chosen = chosen.champion
    if query is not None:
        _check(query, settings)
        asked = Query(new_query_id(), query, service.clock())
        chances = chosen.propensities(asked, service.pipeline.context(asked))
    return json(
        PlansAnswer.model_construct(
            plans=PlansAnswer.of(service.plans, settings.retrieval.default_plan, chances),
            arms=list(ARMS),
            policies=_versions(service),
            query=query,
            policy=chosen.version if query is not None else None,
        )
    )


@router.get("/v1/readings", response_model=ReadingsAnswer, dependencies=[needs("admin")])
def readings(service: Running, settings: Configured, query: str) -> Response:
    """How the structured arm reads a query: which words name values, which figures are ranges, which are just words."""
    _check(query, settings)
    found = [ReadingBody.of(each) for each in service.read_query(query)]
    return json(ReadingsAnswer.model_construct(query=query, readings=found))


def _versions(service: Service) -> dict[str, str]:
    return {name: policy.version for name, policy in service.policies.items()}


def _check(query: str, settings: Settings) -> None:
    longest = settings.limits.query_characters
    if len(query) > longest:
        raise InvalidInput(
            "too_large_query", f"query is {len(query)} characters; at most {longest} are allowed.", "Shorten query."
        )

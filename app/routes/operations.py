"""GET /livez, /readyz, /healthz and /metrics."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from app.learning.learner_state import read_state
from app.routes.dependencies import All, Configured, Running, json
from app.schemas.operations import ArmHealth, Health, HealthDetails
from app.web.access import Guarded, needs
from core.errors import Unavailable

router = APIRouter(tags=["operations"], route_class=Guarded)


@router.get("/livez", response_model=Health)
async def livez() -> Response:
    """The process answers."""
    return json(Health(status="alive"))


@router.get("/readyz", response_model=Health)
async def readyz(request: Request, service: Running) -> Response:
    """The catalogue is indexed, the models are loaded and warm; 503 until then, and when the server is to stop."""
    if request.app.state.draining:
        raise Unavailable("stopping", "The service is about to stop.", "Send new requests to another one.")
    return json(Health(status="ready", items=len(service.items), release=service.serving.release))


@router.get("/healthz", response_model=HealthDetails, dependencies=[needs("admin")])
async def healthz(request: Request, service: Running, settings: Configured) -> Response:
    """What works and what doesn't: every arm, the learner, the configuration."""
    arms = {
        name: ArmHealth(circuit=guard.breaker.state.value, stuck=guard.stuck)
        for name, guard in service.fan_out.arms.items()
    }
    troubled = any(arm.circuit != "closed" or arm.stuck for arm in arms.values())
    state = read_state(settings.data_dir)
    return json(
        HealthDetails(
            status="stopping" if request.app.state.draining else "degraded" if troubled else "ok",
            items=len(service.items),
            release=service.serving.release,
            policy=service.serving.policy.version,
            ranker=service.serving.ranker.version,
            config=service.config,
            needs_restart=sorted(request.app.state.needs_restart),
            arms=arms,
            learner_lag_s=round(max(0.0, time.time() - state.caught_up), 3) if state else None,
        )
    )


@router.get("/metrics", response_class=PlainTextResponse, dependencies=[needs("admin")])
async def metrics(hand: All) -> Response:
    """Prometheus text format."""
    text = await hand.lanes.operations.run(lambda: hand.metrics.expose(hand.service, hand.searchers.ready))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

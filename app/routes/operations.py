"""GET /livez, /readyz and /metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.routes.dependencies import Measured, Running, json
from app.schemas.operations import Health

router = APIRouter(tags=["operations"])


@router.get("/livez", response_model=Health)
def livez() -> Response:
    """The process answers."""
    return json(Health(status="alive"))


@router.get("/readyz", response_model=Health)
def readyz(service: Running) -> Response:
    """The catalogue is indexed, the models are loaded and warm; 503 until then."""
    return json(Health(status="ready", items=len(service.items), release=service.serving.release))


@router.get("/metrics")
def metrics(service: Running, measured: Measured) -> Response:
    """Prometheus text format."""
    return Response(measured.expose(service), media_type="text/plain; version=0.0.4; charset=utf-8")

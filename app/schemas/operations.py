"""GET /readyz and /livez."""

from __future__ import annotations

from pydantic import BaseModel

from app.schemas.parts import model


class Health(BaseModel):
    model_config = model({"status": "ready", "items": 19406, "release": 12})

    status: str
    items: int | None = None
    release: int | None = None

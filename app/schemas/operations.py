"""GET /readyz, /livez and /healthz."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from app.schemas.parts import model


class Health(BaseModel):
    model_config = model({"status": "ready", "items": 19406, "release": 12})

    status: str
    items: int | None = None
    release: int | None = None


class ArmHealth(BaseModel):
    """`stuck`: calls that nobody waits for any more and that still run."""

    model_config = model({"circuit": "closed", "stuck": 0})

    circuit: Literal["closed", "half_open", "open"]
    stuck: int


class HealthDetails(BaseModel):
    """`degraded` when an arm is not asked, or hangs."""

    model_config = model(
        {
            "status": "ok",
            "items": 19406,
            "release": 12,
            "policy": "coverage-8c1f0a2b31",
            "ranker": "lambdamart-5f0c2d9e77",
            "config": "3f0c9d1e2b7a",
            "needs_restart": [],
            "arms": {"lexical": {"circuit": "closed", "stuck": 0}},
            "learner_lag_s": 1.2,
        }
    )

    status: Literal["ok", "degraded", "stopping"]
    items: int
    release: int
    policy: str
    ranker: str
    config: str = Field(description="Hash of the settings in force.")
    needs_restart: list[str] = Field(description="Changed settings that take effect at the next start.")
    arms: dict[str, ArmHealth]
    learner_lag_s: float | None = Field(default=None, description="Absent until a learner has run.")

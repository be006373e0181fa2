"""GET /v1/insights/health and GET /v1/doctor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from app.operating.findings import Finding
from app.schemas.insights import ArmSeen
from app.schemas.parts import model


class FindingBody(BaseModel):
    """What a part has, and what it waits for."""

    model_config = model({"part": "ranking", "state": "ok", "message": "learned, in release 12."})

    part: str
    state: Literal["ok", "waits", "broken"]
    message: str


class DoctorAnswer(BaseModel):
    """One finding per part, in the order in which a query meets them."""

    model_config = model({"findings": [{"part": "ranking", "state": "ok", "message": "learned, in release 12."}]})

    findings: list[FindingBody]

    @classmethod
    def of(cls, found: Sequence[Finding]) -> DoctorAnswer:
        findings = [FindingBody.model_construct(part=f.part, state=f.state, message=f.message) for f in found]
        return cls.model_construct(findings=findings)


class LearnerSeen(BaseModel):
    """When the learner last learned, from how many searches, and the time of the newest of them. Absent before that."""

    model_config = model({"written": 1753000010.0, "newest": 1753000008.0, "episodes": 3000, "window_s": 300.0})

    written: float | None = None
    newest: float | None = None
    episodes: int | None = None
    window_s: float


class StorageSeen(BaseModel):
    """Bytes per part, looked at in the last 15 seconds, and what is free."""

    model_config = model({"parts": {"events": 1048576}, "free": 10737418240})

    parts: dict[str, int]
    free: int


class HealthSeen(BaseModel):
    """How the service is: every arm, the learner, the models that serve, the room they take."""

    model_config = model(
        {
            "items": 19406,
            "release": 12,
            "config": "3f0c9d1e2b7a",
            "policy": "coverage-8c1f0a2b31",
            "ranker": "lambdamart-5f0c2d9e77",
            "models": {"memory": "8c1f0a2b31"},
            "released": 1753000010.0,
            "arms": [ArmSeen.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
            "learner": LearnerSeen.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
            "storage": {"parts": {"events": 1048576}, "free": 10737418240},
        }
    )

    items: int
    release: int
    config: str
    policy: str
    ranker: str
    models: dict[str, str] = Field(description="Component of the current release -> first ten digits of its hash.")
    released: float | None = Field(default=None, description="When that release was published.")
    arms: list[ArmSeen]
    learner: LearnerSeen
    storage: StorageSeen

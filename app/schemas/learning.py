"""GET /v1/insights/learning and GET /v1/insights/queries: what the learner has noticed. What is not known is absent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.schemas.parts import model

_MEAN: dict[str, Any] = {"count": 120, "mean": 0.61, "low": 0.55, "high": 0.67}
_STEP: dict[str, Any] = {
    "x": 1753000004.5,
    "begin": 1753000003.0,
    "end": 1753000006.0,
    "searches": 120,
    "reward": _MEAN,
    "control": {"count": 0},
    "milliseconds": {"count": 120, "mean": 4.1, "low": 3.9, "high": 4.3},
    "arms": {"lexical": 0.9, "memory": 0.4},
}
_PLAN: dict[str, Any] = {
    "name": "lexical",
    "depths": {"lexical": 100},
    "searches": 40,
    "share": 0.02,
    "reward": {"effective": 33.0, "mean": 0.4, "low": 0.3, "high": 0.5},
    "milliseconds": {"count": 40, "mean": 0.9, "low": 0.8, "high": 1.0},
    "coverage": 0.71,
    "gain": 35.0,
}
_POLICY: dict[str, Any] = {
    "name": "uniform",
    "policy": "uniform-8c1f0a2b31",
    "rows": 2000,
    "effective": 310.5,
    "value": 0.4,
    "low": 0.35,
    "high": 0.45,
    "logged": 0.61,
    "verdict": "Worse: -0.2100 a search beside what served (-0.2600 to -0.1600).",
}
_QUERY: dict[str, Any] = {"query": "love", "searches": 210, "empty": 0, "clicked": 120, "last": 1753000000.0}


class Mean(BaseModel):
    """Of `count` figures: the mean and its interval of 95 %, the figures taken as independent."""

    model_config = model(_MEAN)

    count: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None


class Estimated(BaseModel):
    """What a plan would earn if it always served, with its interval of 95 %. `effective` searches stand behind it."""

    model_config = model(_PLAN["reward"])

    effective: float
    mean: float | None = None
    low: float | None = None
    high: float | None = None


class ControlBody(Mean):
    """The clients who get the warm-up policy for ever: their share, and the reward of all their searches."""

    model_config = model({**_MEAN, "share": 0.05})

    share: float


class StepBody(BaseModel):
    """A stretch of searches around x. `arms`: the share of them that asked each arm."""

    model_config = model(_STEP)

    x: float
    begin: float
    end: float
    searches: int
    reward: Mean = Field(description="Of all searches but those of the control.")
    control: Mean = Field(
        description="Of the control's clients, back over the stretches before this one until 30 searches are counted;"
        " with `mean` only then."
    )
    best: Estimated | None = Field(default=None, description="What `best_plan` would have earned meanwhile.")
    milliseconds: Mean = Field(description="Summed over the asked arms.")
    arms: dict[str, float]


class PlanFiguresBody(BaseModel):
    """What a plan earns, covers and costs. `coverage` is known where shadow traffic had clicks, of `gain` together."""

    model_config = model(_PLAN)

    name: str
    depths: dict[str, int]
    searches: int
    share: float | None = None
    reward: Estimated
    milliseconds: Mean
    coverage: float | None = None
    gain: float | None = None


class KindBody(BaseModel):
    """A kind of query, and the share of its searches that asked each arm."""

    model_config = model({"kind": "one word, new", "searches": 40, "arms": {"lexical": 0.9}})

    kind: str
    searches: int
    arms: dict[str, float]


class PolicyFiguresBody(BaseModel):
    """What a policy would have earned on the newest searches; `logged` is what they did earn."""

    model_config = model(_POLICY)

    name: str
    policy: str
    rows: int
    effective: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    logged: float | None = None
    verdict: str


class LearningAnswer(BaseModel):
    """What the learner has noticed on its way through the log, up to its last step.

    Further pages, experiments and degraded searches are left out of all but `episodes`, `clicked` and `feedback`.
    """

    model_config = model(
        {
            "written": 1753000010.0,
            "newest": 1753000008.0,
            "window_s": 300.0,
            "episodes": 3000,
            "clicked": 1800,
            "feedback": 2100,
            "identified": 3000,
            "counted": 2990,
            "best_plan": "lexical",
            "over_time": [_STEP],
            "over_searches": [{**_STEP, "x": 20.0, "begin": 1.0, "end": 41.0}],
            "plans": [_PLAN],
            "kinds": [{"kind": "one word, new", "searches": 40, "arms": {"lexical": 0.9}}],
            "off_policy": [_POLICY],
        }
    )

    written: float | None = Field(default=None, description="Absent until a learner has run.")
    newest: float | None = Field(default=None, description="Time of the newest search that was learned from.")
    window_s: float
    episodes: int = 0
    clicked: int = 0
    feedback: int = 0
    identified: int = Field(default=0, description="Searches with a client_id.")
    counted: int = 0
    control: ControlBody | None = Field(default=None, description="Absent without a rollout.")
    best_plan: str | None = Field(
        default=None, description="The best fixed plan; absent while no plan is known enough."
    )
    over_time: list[StepBody] = []
    over_searches: list[StepBody] = []
    plans: list[PlanFiguresBody] = []
    kinds: list[KindBody] = []
    off_policy: list[PolicyFiguresBody] = []


Chart = Literal["reward", "arms", "kinds", "plans", "curve", "off-policy"]


class AskedBody(BaseModel):
    """A query: how often it was asked, found nothing, and led to a click."""

    model_config = model(_QUERY)

    query: str
    searches: int
    empty: int
    clicked: int
    last: float


class QueriesAnswer(BaseModel):
    """At most 50 of each. `low`: asked five times at least, with a click in less than a tenth of them. `forgotten`:
    rare queries whose counts had to make room."""

    model_config = model({"known": 210, "forgotten": 0, "frequent": [_QUERY], "empty": [], "low": []})

    known: int = 0
    forgotten: int = 0
    frequent: list[AskedBody] = []
    empty: list[AskedBody] = []
    low: list[AskedBody] = []

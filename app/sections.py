"""The sections of the configuration, one class each: what every key may be.

docs/reference/configuration.md has a heading for each key, configs/default.toml its value.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer, field_validator, model_validator

from core.errors import InvalidConfig
from ranking.training.parameters import Parameters
from retrievers.words.analyser import Language

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Service(Section):
    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    data_dir: str
    processes: Annotated[int, Field(ge=1, le=64)]
    threads: Count
    remembered: Annotated[int, Field(ge=0)]
    learner: bool
    reload_s: Positive
    drain_s: Annotated[float, Field(ge=0, le=600)]


class Database(Section):
    url: SecretStr
    connections: Annotated[int, Field(ge=2)]
    migrate: bool

    @property
    def used(self) -> bool:
        return bool(self.url.get_secret_value())

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, given: SecretStr) -> SecretStr:
        try:
            _place(given)
        except InvalidConfig as error:
            raise ValueError(str(error)) from None
        return given

    @field_serializer("url")
    def _without_password(self, url: SecretStr) -> str:
        return _place(url)


class Limits(Section):
    body_bytes: Count
    events_per_batch: Count
    items_per_batch: Count
    query_characters: Count
    page_size: Annotated[int, Field(ge=1, le=1000)]
    requests_per_s: Positive
    burst: Count


Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]+)?$")]


class Security(Section):
    first_key: bool
    open_metrics: bool
    cors_origins: list[Origin]


Weight = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class Studio(Section):
    notice: Annotated[str, Field(max_length=300)]


class Lexical(Section):
    engine: Literal["tantivy", "okapi"]
    language: Language
    labels: Weight
    voices: Weight
    proximity: Weight
    popularity: Weight


class Vector(Section):
    encoder: str
    adapter: bool
    half_life_days: Positive


class Structured(Section):
    half_life_days: Positive


class Sparse(Section):
    model: str
    half_life_days: Positive


class Related(Section):
    horizon_days: Positive


class Personal(Section):
    half_life_days: Positive


class Memory(Section):
    model: str
    half_life_days: Positive
    client_cap: Count


class Popularity(Section):
    half_life_days: Positive
    trend_half_life_days: Positive
    client_cap: Count

    @model_validator(mode="after")
    def _what_is_usual_is_longer(self) -> Self:
        if self.trend_half_life_days >= self.half_life_days:
            raise ValueError("trend_half_life_days must be less than half_life_days, for example a seventh of it")
        return self


class Retrieval(Section):
    deadline_ms: Positive
    arm_deadline_ms: dict[str, Positive]
    default_plan: str
    plans: dict[str, dict[str, int]]


class Degradation(Section):
    request_ms: Positive
    failures: Count
    open_s: Positive


class Shadow(Section):
    share: Share
    depth: Annotated[int, Field(ge=1, le=1000)]


class Policy(Section):
    kind: Literal["coverage", "vw_adf", "uniform", "fixed", "misguided"]
    seed: int
    explore: Share
    min_clicked: Count
    cost_per_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    gamma: Positive
    floor: Share


class Rollout(Section):
    enabled: bool
    control: Share
    stages: list[Share]
    gate_searches: Count
    retrain_searches: Count
    stage_searches: Count
    max_searches: Count
    margin: Share
    empty_margin: Share
    slow_factor: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    alpha: Annotated[float, Field(gt=0, le=0.5)]

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        rising = all(low < high for low, high in zip([0.0, *self.stages], self.stages, strict=False))
        if not rising or max(self.stages, default=0.0) + self.control > 1:
            raise ValueError("stages are rising shares above 0, the last of which leaves room for control")
        return self


Variant = Literal["served", "policy:fixed", "policy:uniform", "policy:coverage", "ranker:rrf", "ranker:learned"]


class Experiment(Section):
    kind: Literal["none", "ab", "interleave"]
    name: Annotated[str, Field(pattern="^[a-z0-9-]*$", max_length=100)]
    first: Variant
    second: Variant
    share: Share

    @model_validator(mode="after")
    def _what_runs_has_a_name(self) -> Self:
        if self.kind != "none" and not self.name:
            raise ValueError("an experiment needs a name, for example name = 'uniform-policy'; it goes into the log")
        return self


class Ranking(Section):
    brand_attribute: str
    min_clicked: Count
    retrain_every: Count
    max_episodes: Count
    memory_mib: Annotated[int, Field(ge=64)]
    sampled_negatives: Annotated[int, Field(ge=0, le=100)]
    swap: Share
    judgments: str
    trial: Literal["none", "interleave", "ab"]
    trial_share: Share
    trial_searches: Count
    parameters: dict[str, float]

    @field_validator("parameters")
    @classmethod
    def _parameters_exist(cls, given: dict[str, float]) -> dict[str, float]:
        try:
            Parameters.of(given)
        except InvalidConfig as error:
            raise ValueError(str(error)) from None
        return given


class Neural(Section):
    model: str
    top: Annotated[int, Field(ge=1, le=1000)]
    tokens: Annotated[int, Field(ge=8, le=8192)]
    weight: Share
    deadline_ms: Positive


class Diversity(Section):
    page: Count
    limit: dict[str, Count]
    near_duplicates: Share
    fresh: dict[str, Positive]


class Quality(Section):
    category: Annotated[str, Field(max_length=100)]
    price: Annotated[str, Field(min_length=1, max_length=100)]
    terms: Count
    least_texts: Count
    pairs: Count


class Feedback(Section):
    window_s: Positive
    client_cap: Count
    weights: dict[str, Annotated[float, Field(ge=-10, le=10)]]


class Learner(Section):
    interval_s: Positive
    making_share: Annotated[float, Field(ge=0.001, le=1)]
    keep_releases: Count


class Logging(Section):
    format: Literal["auto", "human", "json"]
    level: Literal["debug", "info", "warning", "error"]
    queries: bool


class Tracing(Section):
    endpoint: Annotated[str, Field(pattern="^(https?://.+)?$")]
    share: Share


class Retention(Section):
    days: Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _place(url: SecretStr) -> str:
    """Which database it is, in words without the password."""
    if not url.get_secret_value():
        return ""
    from feedback.postgres.address import place  # here, because few need it, and what it imports takes long

    return place(url.get_secret_value())

"""The configuration: TOML, strict, layered over configs/default.toml, with a hash that goes into every log row."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidConfig, unknown
from retrievers.words.analyser import Language

CONFIGS = Path(__file__).parent.parent / "configs"
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Service(Section):
    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    data_dir: str
    threads: Count
    learner: bool
    reload_s: Positive


class Limits(Section):
    body_bytes: Count
    events_per_batch: Count
    query_characters: Count
    page_size: Annotated[int, Field(ge=1, le=1000)]


Weight = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


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
    default_plan: str
    plans: dict[str, dict[str, int]]


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
    stages: Annotated[list[Share], Field(min_length=1)]
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
        if not rising or self.stages[-1] + self.control > 1:
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
    min_clicked: Count
    retrain_every: Count
    max_episodes: Count


class Feedback(Section):
    window_s: Positive
    weights: dict[str, Annotated[float, Field(ge=-10, le=10)]]


class Learner(Section):
    interval_s: Positive
    keep_releases: Count


class Settings(Section):
    """Everything that can be configured. docs/reference/configuration.md has a heading for each key."""

    service: Service
    limits: Limits
    lexical: Lexical
    structured: Structured
    vector: Vector
    sparse: Sparse
    memory: Memory
    related: Related
    personal: Personal
    popularity: Popularity
    retrieval: Retrieval
    shadow: Shadow
    policy: Policy
    rollout: Rollout
    experiment: Experiment
    ranking: Ranking
    feedback: Feedback
    learner: Learner

    @property
    def data_dir(self) -> Path:
        return Path(self.service.data_dir)

    @property
    def learns_policy(self) -> bool:
        """Whether a policy that learns serves anybody."""
        return self.policy.kind in ("coverage", "vw_adf", "misguided") or self._tries_coverage

    @model_validator(mode="after")
    def _one_policy_learns(self) -> Self:
        if self.policy.kind == "vw_adf" and self._tries_coverage:
            raise ValueError(
                "one policy learns at a time: with policy.kind = 'vw_adf', no variant is 'policy:coverage'"
            )
        return self

    @property
    def _tries_coverage(self) -> bool:
        tried = self.experiment
        return tried.kind != "none" and "policy:coverage" in (tried.first, tried.second)

    @property
    def rolls_out(self) -> bool:
        """Whether learned policies serve by stages."""
        return self.rollout.enabled and self.policy.kind == "coverage"

    @property
    def hash(self) -> str:
        """Twelve hex digits that change with any value."""
        canonical = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def load_settings(path: Path | None = None, *, overrides: dict[str, Any] | None = None) -> Settings:
    """configs/default.toml, then the file at `path`, then `overrides`, each saying only what differs.

    InvalidConfig names the key, the value, what is allowed and the remedy.
    """
    merged = _read(CONFIGS / "default.toml")
    source = str(path) if path else "the default configuration"
    for layer in (_read(path) if path else {}, overrides or {}):
        merged = _merge(merged, layer)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise InvalidConfig(
            "invalid_config",
            f"{source}: " + " ".join(_sentence(problem) for problem in error.errors()),
            "Correct the file; `bowerbird config` prints every key with its value.",
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfig(
            "config_unreadable", f"Cannot read the configuration {path}: {error.strerror}.", "Check --config."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig("config_syntax", f"{path} is not TOML: {error}.", "Correct that line.") from None


def _merge(base: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in layer.items():
        # A library of plans or weights is one value: half of one with half of another is nobody's intent.
        whole = key in {"plans", "weights"}
        both = isinstance(value, dict) and isinstance(base.get(key), dict) and not whole
        merged[key] = _merge(base[key], value) if both else value
    return merged


def _sentence(problem: Any) -> str:
    where = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        section: Any = Settings
        for part in where[:-1]:
            section = section.model_fields[part].annotation
        return unknown("configuration key", ".".join(where), [".".join([*where[:-1], n]) for n in section.model_fields])
    if not where:  # two sections that don't go together
        return f"{problem['msg']}."
    return f"{'.'.join(where)} = {problem['input']!r}: {problem['msg']}."

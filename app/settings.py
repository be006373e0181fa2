"""The configuration: TOML, strict, layered over configs/default.toml, with a hash that goes into every log row."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator

from app import sections
from core.errors import InvalidConfig, unknown

CONFIGS = Path(__file__).parent.parent / "configs"


class Settings(sections.Section):
    """Everything that can be configured. docs/reference/configuration.md has a heading for each key."""

    service: sections.Service
    database: sections.Database
    limits: sections.Limits
    security: sections.Security
    studio: sections.Studio
    lexical: sections.Lexical
    structured: sections.Structured
    vector: sections.Vector
    sparse: sections.Sparse
    memory: sections.Memory
    related: sections.Related
    personal: sections.Personal
    popularity: sections.Popularity
    retrieval: sections.Retrieval
    degradation: sections.Degradation
    shadow: sections.Shadow
    policy: sections.Policy
    rollout: sections.Rollout
    experiment: sections.Experiment
    ranking: sections.Ranking
    neural: sections.Neural
    diversity: sections.Diversity
    quality: sections.Quality
    feedback: sections.Feedback
    learner: sections.Learner
    logging: sections.Logging
    tracing: sections.Tracing
    retention: sections.Retention

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

    @model_validator(mode="after")
    def _learned_before_it_is_forgotten(self) -> Self:
        if 0 < self.retention.days * 86_400 <= self.feedback.window_s:
            raise ValueError("retention.days is longer than feedback.window_s, or 0: searches are learned from first")
        return self

    @model_validator(mode="after")
    def _one_experiment(self) -> Self:
        if self.ranking.trial != "none" and self.experiment.kind != "none":
            raise ValueError(
                "one experiment runs at a time: with ranking.trial, experiment.kind is 'none', or the other way round"
            )
        return self

    @property
    def _tries_coverage(self) -> bool:
        tried = self.experiment
        return tried.kind != "none" and "policy:coverage" in (tried.first, tried.second)

    @property
    def rolls_out(self) -> bool:
        """Whether learned policies serve by stages, or at least beside a control."""
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
    if where[:2] == ["database", "url"]:  # it may hold a password
        return f"database.url: {problem['msg']}."
    return f"{'.'.join(where)} = {problem['input']!r}: {problem['msg']}."

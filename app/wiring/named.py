"""What a configuration names: plans, arms, models, files. Looked for before anything is served by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from app.settings import Settings
from app.wiring.judged import judgments
from app.wiring.limits import arm_limits
from app.wiring.plans import plan_library
from core.errors import InvalidConfig
from ranking.cross_encoder import check_folder
from retrievers.impact.splade import splade_tokenizer
from retrievers.q2e.generated import generator_weights
from retrievers.vectors.encoder import encoder_folder

# By the part that `bowerbird doctor` tells of. No model is loaded: that takes seconds.
_CHECKS: Mapping[str, Callable[[Settings], object]] = {
    "plans": plan_library,
    "deadlines": arm_limits,
    "encoder": lambda settings: encoder_folder(settings.vector.encoder),
    "sparse model": lambda settings: _in_folder(settings.sparse.model, splade_tokenizer),
    "memory model": lambda settings: _in_folder(settings.memory.model, generator_weights),
    "neural model": lambda settings: _in_folder(settings.neural.model, check_folder),
    "judgments": judgments,
}


def check_named(settings: Settings) -> None:
    """InvalidConfig, of the first that is not there or cannot be used."""
    for error in unusable(settings).values():
        raise error


def unusable(settings: Settings) -> dict[str, InvalidConfig]:
    """By part, what is wrong with it."""
    found = {}
    for part, check in _CHECKS.items():
        try:
            check(settings)
        except InvalidConfig as error:
            found[part] = error
    return found


def _in_folder(model: str, check: Callable[[Path], object]) -> None:
    if model:
        check(Path(model))

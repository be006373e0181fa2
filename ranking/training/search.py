"""Random search for the parameters of the trees (Bergstra and Bengio 2012)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidConfig
from core.seeds import generator
from ranking.features.feature import Schema
from ranking.ltr import LambdaMart
from ranking.training.clicks import calibrated, debiased_ndcg
from ranking.training.parameters import Parameters
from ranking.training.rows import Split

Space = Mapping[str, Sequence[float] | Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting, with the debiased nDCG and the log-likelihood of the clicks it was stopped by."""

    parameters: Parameters
    ndcg: float
    likelihood: float


def read_space(path: Path) -> Space:
    """From TOML: parameter -> a list of values, or { low, high } to draw from, evenly by ratio where both are above 0.

    InvalidConfig names the parameter.
    """
    try:
        space: Space = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"Cannot read the search space {path}: {error.strerror}."
        raise InvalidConfig("space_unreadable", message, "Check --space.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig("space_syntax", f"{path} is not TOML: {error}.", "Correct that line.") from None
    for name, wanted in space.items():
        _check(name, wanted)
    return space


def settings_drawn(space: Space, count: int, *, base: Mapping[str, float], seed: int) -> list[Parameters]:
    """`base` first, then `count` - 1 settings in which what is in the space is drawn."""
    random = generator(seed, "ranker search")
    drawn = [{name: _draw(wanted, random.random()) for name, wanted in space.items()} for _ in range(count - 1)]
    return [Parameters.of({**base, **each}) for each in [{}, *drawn]]


def trial_of(model: bytes, parts: Split, parameters: Parameters, schema: Schema) -> Trial:
    """Judged by the slice between what was fitted and what the gate judges by."""
    score = LambdaMart(model, schema).predict
    likelihood = calibrated(parts.stop, score).log_likelihood(parts.stop, score) if parts.stop else 0.0
    return Trial(parameters, debiased_ndcg(parts.stop, score), likelihood)


def _check(name: str, wanted: object) -> None:
    if isinstance(wanted, Mapping) and set(wanted) == {"low", "high"} and wanted["low"] <= wanted["high"]:
        values = [wanted["low"], wanted["high"]]
    elif isinstance(wanted, list) and wanted:
        values = wanted
    else:
        message = f"{name} = {wanted!r} is neither a list of values nor {{ low, high }}."
        raise InvalidConfig("bad_space", message, "For example learning_rate = { low = 0.02, high = 0.1 }.")
    for value in values:
        Parameters.of({name: value})


def _draw(wanted: Sequence[float] | Mapping[str, float], chance: float) -> float:
    if not isinstance(wanted, Mapping):
        return wanted[int(chance * len(wanted))]
    low, high = wanted["low"], wanted["high"]
    value = low * (high / low) ** chance if low > 0 else low + chance * (high - low)
    return round(value) if isinstance(low, int) and isinstance(high, int) else value

"""What the policy sees of a query: its own shape, and every arm's prediction of how well it will do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from core.errors import InvalidInput
from core.text import words
from core.types import Features, Query

_LARGEST = float(np.finfo(np.float32).max)  # beyond it a finite signal would be logged as infinity


def context_features(query: Query, signals: Mapping[str, Mapping[str, float]]) -> Features:
    """Named features, about 0..1 each; the names depend on the arms only. InvalidInput names one that isn't finite."""
    found = _query_features(query)
    for arm in sorted(signals):
        found |= {f"{arm}.{name}": value for name, value in sorted(signals[arm].items())}
    for name, value in found.items():
        if not abs(value) <= _LARGEST:  # also false for NaN
            raise InvalidInput("bad_signal", f"Context feature {name} is {value}.", "Arms must signal finite numbers.")
    return Features(tuple(found), np.array(list(found.values()), dtype=np.float32))


def _query_features(query: Query) -> dict[str, float]:
    parts = words(query.text)
    letters = "".join(parts)
    digits = sum(map(str.isdigit, letters))
    hour = datetime.fromtimestamp(query.time, UTC)
    angle = 2 * math.pi * (hour.hour + hour.minute / 60) / 24
    return {
        "query.words": min(len(parts), 10) / 10,
        "query.one_word": float(len(parts) == 1),
        "query.characters": min(len(letters), 60) / 60,
        "query.digit_share": digits / len(letters) if letters else 0.0,
        "query.foreign_share": sum(not letter.isascii() for letter in letters) / len(letters) if letters else 0.0,
        "query.model_number": float(any(_is_model_number(part) for part in parts)),
        "query.filtered": float(bool(query.filters)),
        "query.known_user": float(query.user_id is not None),
        "query.session_items": min(len(query.history), 10) / 10,
        "time.day_sine": math.sin(angle),
        "time.day_cosine": math.cos(angle),
    }


def _is_model_number(word: str) -> bool:
    """Letters and digits in one word, such as `dv7` or `1211ea`."""
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))

"""The numbers of keys, as an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.pace import unhurried

_PORTION = 1_000
Key = TypeVar("Key", bound=str)


def look_up(keys: Sequence[Key], known: Mapping[Key, int], *, missing: int = -1) -> NDArray[np.intp]:
    """[len(keys)] the known number of each, or `missing`, in half the time of a loop in Python."""
    return np.fromiter(map(known.get, keys, repeat(missing)), np.intp, len(keys))


def look_up_many(keys: Sequence[Key], known: Mapping[Key, int], *, missing: int = -1) -> NDArray[np.intp]:
    """The same of very many, a portion at a time: searches that run meanwhile come between. See core.pace."""
    portions = (keys[start : start + _PORTION] for start in range(0, len(keys), _PORTION))
    found = (look_up(portion, known, missing=missing) for portion in portions)
    return np.concatenate([np.zeros(0, np.intp), *unhurried(found)])

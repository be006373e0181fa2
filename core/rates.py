"""How well shown things do: decayed gain over decayed examination, with a prior.

A thing shown at position k counts as examined with probability `examination(k)`. Gain per examination is then free of
most of the position bias: it is the COEC estimator (clicks over expected clicks, Zhang and Jones 2007), smoothed.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.types import ItemId

Key = TypeVar("Key", bound=Hashable)


def examination(position: int) -> float:
    """Assumed probability that a person looks at the result at `position` (from 1), relative to the first.

    The discount of nDCG: an assumption, not an estimate, and mild enough to under-correct rather than over-correct.
    """
    return 1 / math.log2(1 + position)


@dataclass(slots=True)
class Evidence:
    """Gain and examinations as they counted at `time`."""

    gain: float = 0.0
    examined: float = 0.0
    time: float = 0.0


@dataclass(slots=True)
class Rates(Generic[Key]):
    """Evidence by key; what is `half_life_s` old counts half."""

    half_life_s: float
    evidence: dict[Key, Evidence] = field(default_factory=dict)

    def add(self, key: Key, *, gain: float, examined: float, time: float) -> None:
        """Count one showing. Times may come out of order."""
        entry = self.evidence.get(key)
        if entry is None:
            self.evidence[key] = Evidence(gain, examined, time)
        elif time > entry.time:
            old = self._decay(time - entry.time)
            entry.gain, entry.examined, entry.time = entry.gain * old + gain, entry.examined * old + examined, time
        else:
            new = self._decay(entry.time - time)
            entry.gain, entry.examined = entry.gain + gain * new, entry.examined + examined * new

    def at(self, time: float) -> Iterable[tuple[Key, float, float]]:
        """(key, gain, examined) as they count at `time`, which is not before the newest entry."""
        for key, entry in self.evidence.items():
            decay = self._decay(time - entry.time)
            yield key, entry.gain * decay, entry.examined * decay

    def prune(self, time: float, *, least: float, most: int) -> None:
        """Forget what counts less than `least` at `time`, gain and examinations together, and all but the `most` that
        count most."""
        counts = {key: abs(gain) + examined for key, gain, examined in self.at(time)}
        kept = [key for key, count in counts.items() if count >= least]
        if len(kept) > most:
            kept = nlargest(most, kept, key=counts.__getitem__)
        self.evidence = {key: self.evidence[key] for key in kept}

    def _decay(self, age_s: float) -> float:
        return float(0.5 ** (max(age_s, 0.0) / self.half_life_s))


def posterior(*, prior: float, strength: float, gain: float, examined: float) -> float:
    """Mean gain per examination: `prior` counts as `strength` examinations, actual ones take over smoothly."""
    return (strength * prior + max(gain, 0.0)) / (strength + examined)


def encode_rates(entries: Iterable[tuple[ItemId, float, float]], **more: NDArray[Any]) -> bytes:
    """(item, gain, examined) as bytes for a release, with `more` arrays for those who know of them."""
    rows = list(entries)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        items=np.frombuffer(json.dumps([item_id for item_id, _, _ in rows]).encode(), dtype=np.uint8),
        gains=np.array([gain for _, gain, _ in rows], dtype=np.float32),
        examined=np.array([examined for _, _, examined in rows], dtype=np.float32),
        allow_pickle=False,
        **more,
    )
    return buffer.getvalue()


class Counted(NamedTuple):
    """Gains and examinations of these items, [len(items)] each."""

    items: list[ItemId]
    gains: NDArray[np.float32]
    examined: NDArray[np.float32]


def decode_rates(data: bytes) -> Counted:
    """What `encode_rates` was given, as columns: there are many items, and searches wait for what is made of them."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return Counted(json.loads(stored["items"].tobytes()), stored["gains"], stored["examined"])

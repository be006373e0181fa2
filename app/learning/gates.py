"""Several release gates in a row: each sees what the one before lets pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.episodes import Episode
from core.protocols import Release, ReleaseGate


@dataclass(frozen=True, slots=True)
class Gates:
    """In the order of the sequence."""

    gates: Sequence[ReleaseGate]

    def learn(self, episodes: Sequence[Episode]) -> None:
        for gate in self.gates:
            gate.learn(episodes)

    def admit(self, made: Mapping[str, bytes], current: Release | None, now: float) -> Mapping[str, bytes]:
        for gate in self.gates:
            made = gate.admit(made, current, now)
        return made

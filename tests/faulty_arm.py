"""A real arm that breaks on command: for tests of what the others do then."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from threading import Event
from typing import Any

from app.wiring.arms import Arms
from core.protocols import Retriever
from core.types import Item, ItemId, Query, Scored

SLOW_S = 0.01


class Fault(StrEnum):
    NONE = "none"
    SLOW = "slow"
    HANGING = "hanging"
    RAISING = "raising"
    EMPTY = "empty"
    WRONG_IDS = "wrong ids"


class FaultyArm:
    """Passes everything on to `arm`, but for the faults of `retrieve`. Whoever hangs goes on after `let_go`."""

    def __init__(self, arm: Any) -> None:
        self._arm = arm
        self._go = Event()
        self.fault = Fault.NONE
        self.asked = 0

    @property
    def name(self) -> str:
        return str(self._arm.name)

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        self.asked += 1
        match self.fault:
            case Fault.SLOW:
                time.sleep(SLOW_S)
            case Fault.HANGING:
                self._go.wait()
            case Fault.RAISING:
                raise RuntimeError(f"the index of {self.name} is gone")
            case Fault.EMPTY:
                return []
            case Fault.WRONG_IDS:
                return [Scored(ItemId(f"nobody-{n}"), float(-n)) for n in range(depth)]
        found: list[Scored] = self._arm.retrieve(query, depth)
        return found

    def signals(self, query: Query) -> Mapping[str, float]:
        found: Mapping[str, float] = self._arm.signals(query)
        return found

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self._arm.apply(upserts, deletes)

    def let_go(self) -> None:
        self._go.set()

    def hang_again(self) -> None:
        """Who is told to hang from now on does."""
        self._go.clear()


class Faults:
    """All arms of a service, each as a FaultyArm: give `changed` to the wiring, then break some."""

    def __init__(self) -> None:
        self.arms: dict[str, FaultyArm] = {}

    def changed(self, built: Arms) -> Arms:
        self.arms = {name: FaultyArm(arm) for name, arm in built.by_name.items()}
        arms: Mapping[str, Retriever] = dict(self.arms)
        return replace(built, by_name=arms)

    def only(self, names: Iterable[str], fault: Fault) -> None:
        """These arms have it, the others are well."""
        broken = set(names)
        for name, arm in self.arms.items():
            arm.fault = fault if name in broken else Fault.NONE

    def let_go(self) -> None:
        for arm in self.arms.values():
            arm.let_go()

    def hang_again(self) -> None:
        for arm in self.arms.values():
            arm.hang_again()

"""The newest answers of the arms: most searches ask what was asked before, and it need not be found again."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping
from threading import Lock
from typing import NamedTuple

from core.protocols import Repeatable, Retriever
from core.types import ArmReport, Query, Scored


class Answered(NamedTuple):
    """What an arm found, and the report of when it did: an answer that is remembered costs what it cost to find, or
    the policy would think those arms cheap that it asks most."""

    found: list[Scored]
    report: ArmReport


class Asked(NamedTuple):
    """What an answer is known by: nothing else decides it."""

    arm: str
    edition: Hashable
    text: str
    depth: int


class NewestAnswers:
    """At most `capacity`, of arms that are Repeatable, to queries without filters. What nobody asks for goes first.

    An answer is known by the edition that the arm had before it was asked, so that nobody who has seen a change gets
    an answer from before it.
    """

    def __init__(self, arms: Mapping[str, Retriever], capacity: int) -> None:
        self._arms = {name: arm for name, arm in arms.items() if isinstance(arm, Repeatable)}
        self._capacity = capacity
        self._answers: OrderedDict[Asked, Answered] = OrderedDict()
        self._lock = Lock()
        self.used: Counter[str] = Counter(dict.fromkeys(self._arms, 0))  # how often an arm's answer was at hand

    def asked(self, name: str, query: Query, depth: int) -> Asked | None:
        """What is asked now; None where the answer is not remembered."""
        arm = self._arms.get(name)
        return None if arm is None or query.filters else Asked(name, arm.edition, query.text, depth)

    def find(self, asked: Asked | None) -> Answered | None:
        if asked is None:
            return None
        with self._lock:
            if (answer := self._answers.get(asked)) is not None:
                self._answers.move_to_end(asked)
                self.used[asked.arm] += 1
        return answer

    def keep(self, asked: Asked | None, answer: Answered) -> None:
        if asked is None:
            return
        with self._lock:
            self._answers[asked] = answer
            while len(self._answers) > self._capacity:
                self._answers.popitem(last=False)

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


class NewestAnswers:
    """At most `capacity`, of arms that are Repeatable, to queries without filters. What nobody asks for goes first.

    An answer is known by the edition that the arm had before it was asked, so that nobody who has seen a change gets
    an answer from before it.
    """

    def __init__(self, arms: Mapping[str, Retriever], capacity: int) -> None:
        self._arms = {name: arm for name, arm in arms.items() if isinstance(arm, Repeatable)}
        self._capacity = capacity
        self._answers: OrderedDict[Hashable, Answered] = OrderedDict()
        self._lock = Lock()
        self.used: Counter[str] = Counter(dict.fromkeys(self._arms, 0))  # how often an arm's answer was at hand

    def key(self, name: str, query: Query, depth: int) -> Hashable:
        """What the answer of now is known by; None for one that is not remembered."""
        arm = self._arms.get(name)
        return None if arm is None or query.filters else (name, arm.edition, query.text, depth)

    def find(self, name: str, key: Hashable) -> Answered | None:
        if key is None:
            return None
        with self._lock:
            if (answer := self._answers.get(key)) is not None:
                self._answers.move_to_end(key)
                self.used[name] += 1
        return answer

    def keep(self, key: Hashable, answer: Answered) -> None:
        if key is None:
            return
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > self._capacity:
                self._answers.popitem(last=False)

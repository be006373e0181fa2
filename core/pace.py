"""How long work goes on beside searches, in the same interpreter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter, sleep
from typing import TypeVar

T = TypeVar("T")
_WORK_S = 0.0005


def unhurried(things: Iterable[T], *, rest_s: float = 0.00005) -> Iterator[T]:
    """The same things, with a rest after every half millisecond of work on them: whoever waits for the interpreter's
    lock has it then. While nobody waits, the work takes about a fifth longer. A longer rest leaves more room, and is
    for what nobody waits for."""
    since = perf_counter()
    for thing in things:
        yield thing
        if perf_counter() - since > _WORK_S:
            sleep(rest_s)
            since = perf_counter()

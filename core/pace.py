"""How long work goes on beside searches, in the same interpreter."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import get_native_id, local
from time import perf_counter, sleep
from typing import TypeVar

T = TypeVar("T")
_WORK_S = 0.0005
_STANDS_BACK = 10  # as of os.nice: a ninth of the processor that others get


class _Pace(local):
    """Of each thread."""

    rest: Callable[[float], object] | None = None


_this_thread = _Pace()


def unhurried(things: Iterable[T], *, rest_s: float = 0.00005) -> Iterator[T]:
    """The same things, with a rest after every half millisecond of work on them: whoever waits for the interpreter's
    lock has it then. While nobody waits, the work takes about a fifth longer. A longer rest leaves more room, and is
    for what nobody waits for; a thread that is `giving_way` has its own."""
    rest = _this_thread.rest or (lambda _: sleep(rest_s))
    since = perf_counter()
    for thing in things:
        yield thing
        if (worked := perf_counter() - since) > _WORK_S:
            rest(worked)
            since = perf_counter()


@contextmanager
def giving_way(rest: Callable[[float], object]) -> Iterator[None]:
    """What this thread does unhurriedly meanwhile rests by calling `rest`, which is told for how many seconds it has
    worked, and knows whether anybody is waiting."""
    before, _this_thread.rest = _this_thread.rest, rest
    try:
        yield
    finally:
        _this_thread.rest = before


def stand_back() -> None:
    """From now on this thread computes when a core is free. Where threads have no priority of their own, nothing."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _STANDS_BACK)

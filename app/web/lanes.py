"""Who waits for whom: each kind of request has threads of its own, so that waiting writers keep no searcher waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.search.turns import Turns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lane:
    """At most `threads` of its requests are worked on at a time; the others wait in line, holding no thread."""

    threads: int
    _limiter: CapacityLimiter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_limiter", CapacityLimiter(self.threads))

    async def run(self, job: Callable[[], T]) -> T:
        return await to_thread.run_sync(job, limiter=self._limiter)


@dataclass(frozen=True, slots=True)
class Lanes:
    """One of each per application. Everything else shares the server's own threads."""

    searches: Lane = field(default_factory=lambda: Lane(40))
    events: Lane = field(default_factory=lambda: Lane(64))  # they wait for the disk, together
    events_read: Turns = field(default_factory=lambda: Turns(1))  # before that, one after the other
    items: Lane = field(default_factory=lambda: Lane(16))  # they wait for the indexes, together
    items_read: Turns = field(default_factory=lambda: Turns(1))
    operations: Lane = field(default_factory=lambda: Lane(40))

"""One arm behind a bulkhead: threads of its own, a deadline, a circuit breaker. Whatever it does, it takes no more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from threading import Lock

from app.degradation.breaker import CircuitBreaker
from app.degradation.daemon_threads import DaemonThreads
from core.protocols import Retriever
from core.types import ArmReport, ArmStatus, Query, Scored

log = logging.getLogger(__name__)
_Answer = tuple[list[Scored], float]


@dataclass(frozen=True, slots=True)
class ArmLimits:
    """`deadline_ms` for a call; the circuit opens at `failures` of the last 2 x `failures` calls, for `open_s`."""

    deadline_ms: float = 500.0
    failures: int = 5
    open_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """An arm that was asked; without a future it was not, because its circuit is open or all its threads hang."""

    depth: int
    ticket: int = 0
    future: Future[_Answer] | None = None


class GuardedArm:
    """At most `threads` calls run at a time; others wait for them, as long as their own deadline lets them."""

    def __init__(
        self, arm: Retriever, limits: ArmLimits, *, threads: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` is the breaker's."""
        self._arm = arm
        self._threads = threads
        self._pool = DaemonThreads(threads, f"arm-{arm.name}")
        self._counting = Lock()
        self.limits = limits
        self.breaker = CircuitBreaker(arm.name, failures=limits.failures, open_s=limits.open_s, clock=clock)
        self.stuck = 0  # calls that run on though nobody waits for them

    def configure(self, limits: ArmLimits) -> None:
        """From now on by these; calls on their way keep theirs."""
        if limits != self.limits:
            self.limits = limits
            self.breaker.configure(failures=limits.failures, open_s=limits.open_s)

    def ask(self, query: Query, depth: int) -> Call:
        """Never waits."""
        if self.stuck >= self._threads or (ticket := self.breaker.admit()) is None:
            return Call(depth)
        return Call(depth, ticket, self._pool.submit(_timed, self._arm, query, depth))

    def take(self, call: Call, query: Query, *, began: float, left_s: float) -> tuple[list[Scored] | None, ArmReport]:
        """The answer, if it comes before its deadline and before `left_s` are over, both since `began`."""
        if call.future is None:
            return None, ArmReport(ArmStatus.SKIPPED, call.depth, 0, 0.0)
        allowed_s = min(left_s, self.limits.deadline_ms / 1000)
        try:
            found, took_ms = call.future.result(timeout=max(0.0, began + allowed_s - time.perf_counter()))
        except Late:
            if call.future.done():  # it raised a time-out of its own
                return self._failed(call, query)
            self._abandon(call.future)
            if allowed_s < left_s:
                self.breaker.note(call.ticket, failed=True)
            else:  # the request had no more time, which is not this arm's fault
                self.breaker.withdraw(call.ticket)
            return None, ArmReport(ArmStatus.TIMEOUT, call.depth, 0, allowed_s * 1000)
        except Exception:  # noqa: BLE001  # the others answer; it is logged below
            return self._failed(call, query)
        self.breaker.note(call.ticket, failed=False)
        return found, ArmReport(ArmStatus.OK, call.depth, len(found), took_ms)

    def close(self) -> None:
        """Waits a moment for calls on their way, and not at all for those that hang."""
        self._pool.shutdown(wait=self.stuck == 0)

    def _failed(self, call: Call, query: Query) -> tuple[None, ArmReport]:
        assert call.future is not None
        log.error("arm %s failed on query %s", self._arm.name, query.id, exc_info=call.future.exception())
        self.breaker.note(call.ticket, failed=True)
        return None, ArmReport(ArmStatus.ERROR, call.depth, 0, 0.0)

    def _abandon(self, future: Future[_Answer]) -> None:
        if not future.cancel():
            self._count(1)
            future.add_done_callback(lambda _: self._count(-1))

    def _count(self, change: int) -> None:
        with self._counting:
            self.stuck += change


def _timed(arm: Retriever, query: Query, depth: int) -> _Answer:
    started = time.perf_counter()
    found = list(arm.retrieve(query, depth))
    return found, (time.perf_counter() - started) * 1000

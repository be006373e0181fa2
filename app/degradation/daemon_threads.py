"""Threads that a hanging job cannot keep the process alive with, which those of the standard library's pool can."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_LEAVE_S = 2.0


class DaemonThreads(Executor):
    """At most `most` threads, made when needed, run jobs in the order in which they come."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._idle = Semaphore(0)
        self._growing = Lock()
        self._threads: list[Thread] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._jobs.put((future, lambda: fn(*args, **kwargs)))
        if not self._idle.acquire(blocking=False):
            self._grow()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the threads end; with `wait`, give those that are busy two seconds together."""
        for _ in self._threads:
            self._jobs.put(None)
        until = time.monotonic() + _LEAVE_S
        for thread in self._threads if wait else ():
            thread.join(max(0.0, until - time.monotonic()))

    def _grow(self) -> None:
        with self._growing:
            if len(self._threads) < self._most:
                thread = Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self) -> None:
        while (entry := self._jobs.get()) is not None:
            _run(*entry)
            del entry  # or its answer would live until the next job comes
            self._idle.release()


def _run(future: Future[Any], job: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001  # who asked gets it, whatever it is
        future.set_exception(error)
    else:
        future.set_result(result)

"""One thread that writes for all: what waits at the same time is committed together, with one fsync."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from core.errors import BowerbirdError, Unavailable

J = TypeVar("J")
_MOST_TOGETHER = 256


class GroupCommit(Generic[J]):
    """`commit` takes jobs and returns, once they are on disk, what became of each: a result, or why it was refused.

    When it raises, nobody may be told that anything is safe: all who wait get Unavailable.
    """

    def __init__(self, commit: Callable[[Sequence[J]], Sequence[Any]]) -> None:
        self._commit = commit
        self._queue: SimpleQueue[tuple[J, Future[Any]] | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._serve, name="event-writer", daemon=True)
        self._writer.start()

    def durably(self, job: J) -> Any:
        """What became of the job in the next commit; returns when that is on disk."""
        if not self._writer.is_alive():
            raise Unavailable("store_closed", "The event log is closed.", "Start the service again.")
        future: Future[Any] = Future()
        self._queue.put((job, future))
        return future.result()

    def close(self) -> bool:
        """Commit what waits, then stop. False when it had stopped before."""
        if not self._writer.is_alive():
            return False
        self._queue.put(None)
        self._writer.join()
        return True

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stop = [first], False
            while len(batch) < _MOST_TOGETHER:
                try:
                    entry = self._queue.get_nowait()
                except Empty:
                    break
                if stop := entry is None:
                    break
                batch.append(entry)
            self._write(batch)
            if stop:
                return

    def _write(self, batch: list[tuple[J, Future[Any]]]) -> None:
        try:
            results = self._commit([job for job, _ in batch])
        except Exception as error:  # noqa: BLE001  # whatever it was, nobody may be told that the events are safe
            failed = error if isinstance(error, Unavailable) else _not_stored(error)
            for _, future in batch:
                future.set_exception(failed)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if isinstance(result, BowerbirdError):
                future.set_exception(result)
            else:
                future.set_result(result)


def _not_stored(error: Exception) -> Unavailable:
    message = f"The event log could not be written: {error}."
    return Unavailable("events_not_stored", message, "Check the disk; try again.")

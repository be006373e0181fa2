"""Shadow traffic: for a share of the searches, ask every arm at full depth after the answer has left, and log that."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread, get_native_id

from core.protocols import EventStore, Retriever
from core.seeds import uniform
from core.types import Impression, QueryId, Shadow

log = logging.getLogger(__name__)
_WAITING = 8
_SEARCHES_BESIDE = 2
_ANSWER_LEAVES_S = 0.05
_LOWEST_PRIORITY = 19


class ShadowTraffic:
    """One thread, one arm at a time, at the lowest priority. No search ever waits for it: what is too much is dropped.

    Without `start` there is no thread: what waits is then asked by `finish`, which is how a simulation with a clock of
    its own gets the same shadows every time. `outcomes` counts what became of the chosen searches.
    """

    def __init__(
        self,
        arms: Mapping[str, Retriever],
        store: EventStore,
        *,
        share: float,
        depth: int,
        seed: int,
        clock: Callable[[], float],
    ) -> None:
        self._arms = arms
        self._store = store
        self._share = share
        self._depth = depth
        self._seed = seed
        self._clock = clock
        self._waiting: Queue[Impression | None] = Queue(_WAITING)
        self._stop = Event()
        self._thread: Thread | None = None
        self._lock = Lock()
        self._searches = 0
        self.outcomes: Counter[str] = Counter(logged=0, queue_full=0, under_load=0, failed=0)

    def start(self) -> None:
        """From now on the thread asks what is offered."""
        self._thread = Thread(target=self._serve, name="shadow", daemon=True)
        self._thread.start()

    @contextmanager
    def beside_search(self) -> Iterator[None]:
        """Around every search, so that shadows know how many are on their way."""
        with self._lock:
            self._searches += 1
        try:
            yield
        finally:
            with self._lock:
                self._searches -= 1

    def chosen(self, query_id: QueryId) -> bool:
        """A pure function of (seed, query id)."""
        return uniform(self._seed, "shadow", query_id) < self._share

    def offer(self, impression: Impression) -> None:
        """Take note of a logged search if it is one of the chosen. Never waits."""
        if not self.chosen(impression.query.id):
            return
        try:
            self._waiting.put_nowait(impression)
        except Full:
            self._count("queue_full")

    def finish(self) -> None:
        """Ask for all that wait, now and in this thread."""
        while (impression := self._next()) is not None:
            self.run(impression)

    def run(self, impression: Impression) -> None:
        """Ask every arm, one after the other, and log at which rank each has what was shown."""
        ranks: dict[str, tuple[int, ...]] = {}
        took_ms: dict[str, float] = {}
        for name, arm in self._arms.items():
            if self._stop.is_set():
                return
            started = time.perf_counter()
            try:
                found = arm.retrieve(impression.query, self._depth)
            except Exception:  # the others have something to say all the same
                log.exception("arm %s failed on the shadow of query %s", name, impression.query.id)
                continue
            took_ms[name] = (time.perf_counter() - started) * 1000
            rank = {hit.item_id: number for number, hit in enumerate(found, start=1)}
            ranks[name] = tuple(rank.get(item_id, 0) for item_id in impression.shown)
        depths = dict.fromkeys(ranks, self._depth)
        self._store.append_shadow(Shadow(impression.query.id, ranks, depths, took_ms, self._clock()))
        self._count("logged")

    def close(self) -> None:
        """Returns when the arm that is being asked has answered; what still waits, and half a shadow, is dropped."""
        self._stop.set()
        if self._thread is not None:
            with suppress(Full):  # then there is enough to wake up for
                self._waiting.put_nowait(None)
            self._thread.join()

    def _count(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1

    def _next(self) -> Impression | None:
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None

    def _serve(self) -> None:
        with suppress(OSError, AttributeError):  # where a thread has no priority of its own, or may not change it
            os.setpriority(os.PRIO_PROCESS, get_native_id(), _LOWEST_PRIORITY)
        while (impression := self._waiting.get()) is not None and not self._stop.wait(_ANSWER_LEAVES_S):
            if self._searches > _SEARCHES_BESIDE:
                self._count("under_load")
                continue
            try:
                self.run(impression)
            except Exception:  # the next one can be better; the search itself was answered long ago
                log.exception("no shadow of query %s", impression.query.id)
                self._count("failed")

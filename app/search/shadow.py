"""Shadow traffic: for a share of the searches, ask every arm at full depth after the answer has left, and log that."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread

from app.search.gaps import Gaps
from core.episodes import Impression, Shadow
from core.protocols import EventStore, Retriever
from core.seeds import uniform
from core.types import QueryId

log = logging.getLogger(__name__)
_WAITING = 8
_SEARCHES_BESIDE = 2
_ANSWER_LEAVES_S = 0.05
_HANGS_S = 3.0
_MOST_S = 0.1  # that an arm waits for searches to end


class ShadowTraffic:
    """One thread, one arm at a time, each in one of the `gaps` between searches. What is too much is dropped.

    The thread has the priority of the others: while it has the interpreter and waits for a processor, nobody searches.

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
        gaps: Gaps,
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
        self._gaps = gaps
        self.outcomes: Counter[str] = Counter(logged=0, queue_full=0, under_load=0, failed=0)

    def configure(self, *, share: float, depth: int) -> None:
        """From now on this share, this deep."""
        self._share, self._depth = share, depth

    def start(self) -> None:
        """From now on the thread asks what is offered."""
        self._thread = Thread(target=self._serve, name="shadow", daemon=True)
        self._thread.start()

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
        depth = self._depth
        for name, arm in self._arms.items():
            self._gaps.wait(_MOST_S)
            if self._stop.is_set():
                return
            started = time.perf_counter()
            try:
                found = arm.retrieve(impression.query, depth)
            except Exception:  # the others have something to say all the same
                log.exception("arm %s failed on the shadow of query %s", name, impression.query.id)
                continue
            took_ms[name] = (time.perf_counter() - started) * 1000
            rank = {hit.item_id: number for number, hit in enumerate(found, start=1)}
            ranks[name] = tuple(rank.get(item_id, 0) for item_id in impression.shown)
        depths = dict.fromkeys(ranks, depth)
        self._store.append_shadow(Shadow(impression.query.id, ranks, depths, took_ms, self._clock()))
        self._count("logged")

    def close(self) -> None:
        """Returns when the arm that is being asked has answered, or seems to hang; what still waits, and half a
        shadow, is dropped."""
        self._stop.set()
        if self._thread is not None:
            with suppress(Full):  # then there is enough to wake up for
                self._waiting.put_nowait(None)
            self._thread.join(_HANGS_S)

    def _count(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1

    def _next(self) -> Impression | None:
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None

    def _serve(self) -> None:
        while (impression := self._waiting.get()) is not None and not self._stop.wait(_ANSWER_LEAVES_S):
            if self._gaps.searches > _SEARCHES_BESIDE:
                self._count("under_load")
                continue
            try:
                self.run(impression)
            except Exception:  # the next one can be better; the search itself was answered long ago
                log.exception("no shadow of query %s", impression.query.id)
                self._count("failed")

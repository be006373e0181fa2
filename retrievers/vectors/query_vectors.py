"""The newest queries' vectors in memory, each computed once, and begun before it is known who wants it."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from core.protocols import Encoder
from core.types import Floats

_THREADS = 2
_ANNOUNCED = 64  # texts: who wants one has asked for it by then
_STEP = 0.05  # that one text more or less says of how many are asked for


class QueryVectors:
    """Computed once even when several arms ask at the same time, whatever becomes of who asked first."""

    def __init__(self, encoder: Encoder, capacity: int = 10_000) -> None:
        self._encoder = encoder
        self._capacity = capacity
        self._lock = Lock()  # for all below
        self._futures: OrderedDict[str, Future[Floats]] = OrderedDict()
        self._announced: OrderedDict[str, None] = OrderedDict()  # and not asked for yet
        self._wanted = 1.0  # the share of announced texts that are asked for, lately
        self._ahead = ThreadPoolExecutor(_THREADS, "query-vector")

    def __call__(self, text: str) -> Floats:
        """[dimension] float32 of length 1."""
        with self._lock:
            if text in self._announced:
                del self._announced[text]
                self._wanted += _STEP * (1 - self._wanted)
            future = self._futures.get(text)
            if mine := future is None:
                future = self._added(text)
            else:
                self._futures.move_to_end(text)
        assert future is not None
        if mine:
            self._compute(text, future)
        return future.result()

    def announce(self, text: str) -> None:
        """The text is searched for. Its vector is begun in another thread, as long as arms ask for most of them."""
        with self._lock:
            if text in self._futures or not text.strip():
                return
            self._announced[text] = None
            if len(self._announced) > _ANNOUNCED:
                self._announced.popitem(last=False)
                self._wanted -= _STEP * self._wanted
            if self._wanted < 1 / 2:
                return
            future = self._added(text)
        self._ahead.submit(self._compute, text, future)

    def known(self, text: str) -> Floats | None:
        """The vector, if it is here; it stays as new as it was."""
        with self._lock:
            future = self._futures.get(text)
        return future.result() if future is not None and future.done() and not future.exception() else None

    def __contains__(self, text: str) -> bool:
        """Whether it was here before the text was announced, or is asked for again."""
        with self._lock:
            return text in self._futures and text not in self._announced

    def close(self) -> None:
        self._ahead.shutdown()

    def _added(self, text: str) -> Future[Floats]:
        future = self._futures[text] = Future()
        if len(self._futures) > self._capacity:
            self._futures.popitem(last=False)
        return future

    def _compute(self, text: str, future: Future[Floats]) -> None:
        """A failure is for those who ask, and not remembered."""
        try:
            future.set_result(self._encoder.encode_queries([text])[0])
        except BaseException as error:  # noqa: BLE001  # whatever it is
            with self._lock:
                self._futures.pop(text, None)
            future.set_exception(error)

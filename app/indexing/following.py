"""Keeps a service up to date: looks for changed items and new models when told to, and from time to time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from app.indexing import garbage
from app.indexing.indexer import ItemTable
from core.errors import Unavailable

log = logging.getLogger(__name__)

_GATHERED_S = 0.1
_READ_AHEAD, _BREATH_S = 200_000, 0.01  # items, some 2 KB of memory each; a pause after every few hundred


class Following:
    """A thread of its own, in which `look` is called again and again."""

    def __init__(self, look: Callable[[], None], items: ItemTable, wake: Event) -> None:
        """`wake` is set by whoever knows that something may have changed. `items` are read ahead first: whoever
        searches after a start would otherwise wait for that, hundreds of items a search."""
        self._look = look
        self._items = items
        self._wake = wake
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self, interval_s: float) -> None:
        self._thread = Thread(target=self._follow, args=(interval_s,), name="follower", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns when a look that is under way is done."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self, interval_s: float) -> None:
        for _ in self._items.read_ahead(_READ_AHEAD):
            garbage.kept()
            if self._stop.wait(_BREATH_S):
                return
        while not self._stop.is_set():
            self._wake.wait(interval_s)
            if self._stop.wait(min(_GATHERED_S, interval_s)):  # what comes together is taken in together
                return
            self._wake.clear()
            try:
                self._look()
            except Unavailable as error:
                log.warning("could not look for new items and models; trying again in %s s: %s", interval_s, error)
            except Exception:  # a failed refresh must not end refreshing; what served goes on serving
                log.exception("could not refresh items or models; trying again in %s s", interval_s)

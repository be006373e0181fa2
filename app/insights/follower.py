"""Watches, in a thread of its own, what the memory holds for the queries that are asked most."""

from __future__ import annotations

import logging
from threading import Event, Thread

from app.insights.learned import StoredInsights
from app.insights.memory_course import MemoryCourse
from app.service import Service

log = logging.getLogger(__name__)
_EVERY_S = 1.0
_MOST_ASKED = 20


class Follower:
    """From `start` to `stop`."""

    def __init__(self, service: Service, stored: StoredInsights, course: MemoryCourse) -> None:
        self._service = service
        self._stored = stored
        self._course = course
        self._stop = Event()
        self._thread = Thread(target=self._follow, name="insights", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(_EVERY_S):
            try:
                self._look()
            except Exception:  # a look that failed must not end looking
                log.exception("could not look at the memory; trying again")

    def _look(self) -> None:
        release = self._service.serving.release
        known = self._stored.now()
        if known is not None:
            asked = [each["query"] for each in known["queries"]["frequent"][:_MOST_ASKED]]
            self._course.watch(asked, release)
        self._course.released(release)

"""Hears at once that a release was published or items were changed, by whichever process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

import psycopg

from feedback.postgres.database import CHANNEL, Database, reason

log = logging.getLogger(__name__)

_TICK_S = 0.5
_AGAIN_S = 1.0


class Listener:
    """Calls `wake` in a thread of its own. Without a connection it says nothing, and whoever polls still finds out."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._stop = Event()
        self._thread = Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("cannot listen to the database, looking from time to time instead: %s", reason(error))
                self._stop.wait(_AGAIN_S)

    def _listen(self) -> None:
        with self._database.line() as line:
            line.execute(f"LISTEN {CHANNEL}")
            self._wake()  # what was said while nobody listened
            while not self._stop.is_set():
                for _ in line.notifies(timeout=_TICK_S, stop_after=1):
                    self._wake()

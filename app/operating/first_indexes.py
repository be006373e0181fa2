"""The indexes of many items, made by a process of its own: what it takes to make them is given back when it ends.

Who makes them itself keeps half as much memory again, in pieces, until it is started anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Event

from app.indexing.indexer import Progress
from app.operating.child import begin
from app.settings import Settings
from app.wiring.service import build_service

log = logging.getLogger(__name__)
_LOOK_S = 0.2


@dataclass(slots=True)
class Indexing:
    """How far it has come, for who waits."""

    changes: int
    done: int = 0

    def __call__(self, more: int) -> None:
        self.done += more

    def __str__(self) -> str:
        return f": {min(self.done, self.changes):,} of {self.changes:,} items are indexed" if self.changes else ""


def make_indexes(settings: Settings, progress: Progress, stopping: Event) -> None:
    """Returns when the other process has saved them, or has failed, which is logged, or when `stopping` is set.

    `progress` is told how many more items are done.
    """
    process, (told,) = begin("indexer", _make, settings, connections=1)
    with told, suppress(EOFError, OSError):
        while not stopping.is_set():
            if told.poll(_LOOK_S):
                progress(told.recv())
    if stopping.is_set():
        process.kill()
    process.join()
    if process.exitcode and not stopping.is_set():
        log.error("the process that makes the indexes ended with status %s; the service makes them", process.exitcode)


def _make(settings: Settings, connections: Sequence[Connection]) -> None:
    (told,) = connections
    service = build_service(settings)
    with suppress(BrokenPipeError):  # whoever has asked for it is no more
        service.indexer.restore()
        service.indexer.catch_up(told.send)
        service.save()
    service.close()

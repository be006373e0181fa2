"""The indexes of many items, made by a process of its own: what it takes to make them is given back when it ends.

Who makes them itself keeps half as much memory again, in pieces, and is slow until it is started anew.
"""

from __future__ import annotations

import logging
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Event

from app.indexing.indexer import Progress
from app.operating.logs import configure_logging
from app.settings import Settings
from app.wiring.service import build_service

log = logging.getLogger(__name__)
_LOOK_S = 0.2
_spawning = get_context("spawn")  # a fork would copy locks that other threads hold


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
    ours, its = _spawning.Pipe(duplex=False)
    verbose = logging.root.isEnabledFor(logging.INFO)  # as this process is
    process = _spawning.Process(target=_make, args=(settings, verbose, its), name="indexer", daemon=True)
    process.start()
    its.close()  # it has its own, with which ours ends
    with ours, suppress(EOFError, OSError):
        while not stopping.is_set():
            if ours.poll(_LOOK_S):
                progress(ours.recv())
    if stopping.is_set():
        process.kill()
    process.join()
    if process.exitcode and not stopping.is_set():
        log.error("the process that makes the indexes ended with status %s; the service makes them", process.exitcode)


def _make(settings: Settings, verbose: bool, told: Connection) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the service, which ends this process
        signal.signal(number, signal.SIG_IGN)
    configure_logging(settings, verbose=verbose)
    service = build_service(settings)
    with suppress(BrokenPipeError):  # whoever has asked for it is no more
        service.indexer.restore()
        service.indexer.catch_up(told.send)
        service.save()
    service.close()

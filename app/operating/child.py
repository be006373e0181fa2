"""A process that does a part of the service's work: it is told by connections, and ends with who has the other ends."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from app.operating.logs import configure_logging
from app.settings import Settings

_spawning = get_context("spawn")  # a fork would copy locks that other threads hold
Work = Callable[[Settings, Sequence[Connection]], None]


def begin(name: str, work: Work, settings: Settings, *, connections: int) -> tuple[SpawnProcess, list[Connection]]:
    """`work(settings, its ends)` in a process of that name, and our ends of so many connections."""
    pairs = [_spawning.Pipe() for _ in range(connections)]
    verbose = logging.root.isEnabledFor(logging.INFO)  # as this process is
    given = (work, settings, verbose, [its for _, its in pairs])
    process = _spawning.Process(target=_run, args=given, name=name, daemon=True)
    process.start()
    for _, its in pairs:
        its.close()  # it has its own; without this one, ours end with it
    return process, [ours for ours, _ in pairs]


def _run(work: Work, settings: Settings, verbose: bool, connections: Sequence[Connection]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the service, which ends this process
        signal.signal(number, signal.SIG_IGN)
    configure_logging(settings, verbose=verbose)
    work(settings, connections)

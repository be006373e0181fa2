"""One process beside the service: started, watched, started again when it ends."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Condition, Event, Thread

from app.operating.child import begin
from app.search.request_clock import RequestClock
from app.search.wanted import Wanted
from app.searchers.process import search_for
from app.searchers.shown import Shown
from app.settings import Settings

log = logging.getLogger(__name__)
_SEATS = 3  # one more than are searched for at once: it is there when one of these is done
_AGAIN_S = 5.0
_HANGS_S = 5.0  # no search takes so long
_LEAVES_S = 5.0


@dataclass(frozen=True, slots=True)
class Seat:
    """A place at a process, for one search at a time."""

    process: SpawnProcess
    connection: Connection

    def show(self, wanted: Wanted, clock: RequestClock) -> Shown | None:
        """None when the process does not know, or is no more; one that hangs is ended."""
        try:
            self.connection.send((wanted, clock))
            if self.connection.poll(_HANGS_S):
                shown: Shown | None = self.connection.recv()
                return shown
            log.error("a searcher has not answered for %s s; it is ended", _HANGS_S)
            self.process.kill()
        except (EOFError, OSError):
            pass
        return None


@dataclass(frozen=True, slots=True)
class _Running:
    """A process that answers. `free`: its seats that nobody has."""

    process: SpawnProcess
    news: Connection
    free: list[Seat]


class Searcher:
    """`changed` is the lock of all that changes here. Properties, and methods that say so, want it held."""

    def __init__(self, settings: Settings, changed: Condition) -> None:
        self._settings = settings
        self._changed = changed
        self._process: SpawnProcess | None = None
        self._running: _Running | None = None  # once it can answer
        self._reached = self._wanted = 0  # the number of the catalogue's change that shows, and that must
        self._stop, self._again = Event(), Event()
        self._thread = Thread(target=self._keep, name="searcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def adopt(self, settings: Settings) -> None:
        """By these from now on: in a process that is started anew."""
        self._settings = settings
        self._again.set()
        self._end()

    def close(self) -> None:
        self._stop.set()
        self._end()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def ready(self) -> bool:
        return self._running is not None

    @property
    def free(self) -> int:
        """How many seats."""
        return len(self._running.free) if self._running else 0

    def take(self) -> Seat:
        """One that is free. Holding `changed`."""
        assert self._running is not None
        return self._running.free.pop()

    def give_back(self, seat: Seat) -> None:
        """Holding `changed`."""
        if self._running and self._running.process is seat.process:
            self._running.free.append(seat)

    def want(self, number: int) -> None:
        """A change of the catalogue: it is to show soon, or before a process that is starting answers. Holding
        `changed`."""
        self._wanted = max(self._wanted, number)
        if self._running and not self.has(number):
            _tell(self._running.news, number)

    def has(self, number: int) -> bool:
        """Whether the change shows in whatever it answers. Holding `changed`."""
        return self._running is None or self._reached >= number

    def _keep(self) -> None:
        while (running := self._begin()) is not None:
            self._listen(running)
            running.process.join()
            with self._changed:
                self._process = None
                self._changed.notify_all()
            if not (self._stop.is_set() or self._again.is_set()):
                status = running.process.exitcode
                log.error("a searcher ended with status %s; starting it again in %s s", status, _AGAIN_S)
                self._stop.wait(_AGAIN_S)

    def _begin(self) -> _Running | None:
        """None when it is to stop."""
        with self._changed:
            self._again.clear()
            if self._stop.is_set():
                return None
            running = self._spawn()
            self._process = running.process
            return running

    def _spawn(self) -> _Running:
        process, (news, *seats) = begin("searcher", search_for, self._settings, connections=1 + _SEATS)
        return _Running(process, news, [Seat(process, seat) for seat in seats])

    def _listen(self, running: _Running) -> None:
        """Until it ends."""
        with suppress(EOFError, OSError):
            while True:
                number = running.news.recv()
                with self._changed:
                    self._reached = number
                    if self.ready or number >= self._wanted:
                        self._running = running
                    else:
                        _tell(running.news, self._wanted)
                    self._changed.notify_all()
        with self._changed:
            self._running = None
            self._changed.notify_all()

    def _end(self) -> None:
        with self._changed:
            process = self._process
            if self._running:
                _tell(self._running.news, None)
            left = self._changed.wait_for(lambda: self._process is None or self._process is not process, _LEAVES_S)
        if process is not None and not left:
            process.kill()


def _tell(news: Connection, number: int | None) -> None:
    """None: that it is to end."""
    with suppress(OSError):  # it has
        news.send(number)

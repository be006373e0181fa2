"""Who answers a search: the service's own process, or one of those beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from app.search.request_clock import RequestClock
from app.search.wanted import Wanted
from app.searchers.searcher import Searcher, Seat
from app.searchers.shown import Shown, show
from app.service import Service
from app.settings import Settings

_LONGEST_S = 2.0  # that anybody waits for a seat: those who have one may hang with an arm
_LATE_S = 2.0  # that a writer waits for the processes beside; they follow the catalogue in any case


class Searchers:
    """The processes beside a service. All else happens in its own: sessions, the log, feedback, what is counted."""

    def __init__(self, service: Service, settings: Settings) -> None:
        """`service.processes` of the settings: the service's own is one of them."""
        self._service = service
        lock = Lock()
        self._changed, self._left = Condition(lock), Condition(lock)  # of a process; a seat by whom it was taken
        self._here = 1  # seats in this process, which has to read the requests of all
        self._beside = [Searcher(settings, self._changed) for _ in range(settings.service.processes - 1)]
        service.others = self.reach

    def start(self) -> None:
        for each in self._beside:
            each.start()

    @property
    def ready(self) -> int:
        """How many processes beside this one answer searches."""
        with self._changed:
            return sum(each.ready for each in self._beside)

    def show(self, wanted: Wanted, clock: RequestClock) -> Shown:
        """What the process with the most free seats shows; where that does not know, this one."""
        with self._seat() as seat:
            shown = seat.show(wanted, clock) if seat else None
            if shown is None:
                return show(self._service, wanted, clock)
        clock.took_over(shown.laps)
        clock.lap("transfer")
        return shown

    def reach(self, number: int) -> None:
        """Return when this change of the catalogue shows in every process, or soon will in one that is late."""
        with self._changed:
            for each in self._beside:
                each.want(number)
            self._changed.wait_for(lambda: all(each.has(number) for each in self._beside), _LATE_S)

    def adopt(self, settings: Settings) -> None:
        """Search by these, in processes that are started anew."""
        for each in self._beside:
            each.adopt(settings)

    def close(self) -> None:
        for each in self._beside:
            each.close()

    @contextmanager
    def _seat(self) -> Iterator[Seat | None]:
        """None is one in this process; who has waited too long has none, and sits down there, too."""
        if not self._beside:
            yield None
            return
        with self._left:
            self._left.wait_for(lambda: self._here > 0 or any(each.free for each in self._beside), _LONGEST_S)
            freest = max(self._beside, key=lambda each: each.free)
            seat = freest.take() if freest.free > max(self._here, 0) else None
            self._here -= seat is None
        try:
            yield seat
        finally:
            with self._left:
                if seat:
                    freest.give_back(seat)
                else:
                    self._here += 1
                self._left.notify()

"""Sends events in the background, many at once, so that who answers people never waits for it."""

from __future__ import annotations

from threading import Condition, Thread
from typing import Self

from bowerbird_client.answers import EventsAnswer
from bowerbird_client.buffer import FAILURES, Buffer, Counts, pause_s
from bowerbird_client.client import Client
from bowerbird_client.event import Event


class EventSender:
    """A thread that sends what was added, at the latest after `every_s`, or at once when `portion` events wait.

    What cannot be sent now is kept and sent later, twice as late each time. Close it, or use it in `with`: what is
    neither sent nor closed when the process ends is lost.
    """

    def __init__(self, client: Client, *, capacity: int = 10_000, portion: int = 500, every_s: float = 1.0) -> None:
        self._client = client
        self._every_s = every_s
        self._buffer = Buffer(capacity, portion)
        self._changed = Condition()
        self._hurry = False
        self._closing = False
        self._thread = Thread(target=self._run, name="bowerbird-events", daemon=True)
        self._thread.start()

    def add(self, event: Event) -> bool:
        """Never waits. False: there was no room, or it is closed, and the event is dropped and counted."""
        with self._changed:
            if self._closing:
                self._buffer.dropped += 1
                return False
            taken = self._buffer.add(event)
            self._changed.notify_all()
            return taken

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Send now; True when nothing waits any more, False when something still does after `timeout_s`."""
        with self._changed:
            self._hurry = len(self._buffer) > 0
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not len(self._buffer), timeout_s)

    def close(self, timeout_s: float = 10.0) -> Counts:
        """Send what waits, and end. What is not sent by then is dropped and counted. The client stays open."""
        self.flush(timeout_s)
        with self._changed:
            self._closing = True
            self._buffer.drop()
            self._changed.notify_all()
        return self.counts

    @property
    def counts(self) -> Counts:
        with self._changed:
            return self._buffer.counts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while self._is_time():
            with self._changed:
                events = self._buffer.take()
            try:
                answer = self._client.send_events(events)
            except FAILURES as error:
                self._note(error)
            else:
                self._note(answer)

    def _note(self, outcome: EventsAnswer | Exception) -> None:
        with self._changed:
            if self._closing:  # these were counted as dropped
                return
            if isinstance(outcome, EventsAnswer):
                self._buffer.answered(outcome)
            else:
                self._buffer.failed(outcome)
            self._hurry = self._hurry and not self._buffer.failures and len(self._buffer) > 0
            self._changed.notify_all()

    def _is_time(self) -> bool:
        """Wait until there is something to send; False: closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or len(self._buffer))
            self._changed.wait_for(lambda: self._closing or self._hurry or self._buffer.is_full(), self._pause_s())
            return not self._closing

    def _pause_s(self) -> float:
        return pause_s(self._every_s, self._buffer.failures)

"""Events on their way: bounded, in order, counted. Not for several threads at once; who shares it locks."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bowerbird_client.answers import EventsAnswer, Rejection
from bowerbird_client.errors import BowerbirdError, TooOften, Unavailable, Unreachable
from bowerbird_client.event import Event

log = logging.getLogger(__name__)
_LONGEST_PAUSE_S = 30.0
# Beside refusals: an event that has no form in JSON, and a client that was closed. Neither may end the sender.
FAILURES = (BowerbirdError, TypeError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the events so far. `dropped`: there was no room, or the service would never take them."""

    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    dropped: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Buffer:
    """At most `capacity` events, those that are being sent included; the newest is dropped when it is full."""

    capacity: int
    portion: int
    waiting: deque[Event] = field(default_factory=deque)
    sending: tuple[Event, ...] = ()
    failures: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    dropped: int = 0

    def __post_init__(self) -> None:
        if min(self.capacity, self.portion) < 1:
            raise ValueError(f"capacity is {self.capacity}, portion {self.portion}; both are at least 1")

    def __len__(self) -> int:
        return len(self.waiting) + len(self.sending)

    def add(self, event: Event) -> bool:
        if len(self) >= self.capacity:
            self.dropped += 1
            return False
        self.waiting.append(event)
        return True

    def is_full(self) -> bool:
        """A whole portion waits, and nothing says that it could not be sent."""
        return len(self.waiting) >= self.portion and not self.failures

    def take(self) -> Sequence[Event]:
        """The next to send, until `answered`, `failed` or `drop`."""
        self.sending = tuple(self.waiting.popleft() for _ in range(min(self.portion, len(self.waiting))))
        return self.sending

    def answered(self, answer: EventsAnswer) -> None:
        self.stored += answer.stored
        self.duplicates += answer.duplicates
        self.rejected += len(answer.rejected)
        self.sending, self.failures = (), 0
        for each in answer.rejected[:3]:
            _tell(each)

    def failed(self, error: Exception) -> None:
        """Keep them for later where that may help; ids make it safe. Else drop them."""
        if isinstance(error, (Unreachable, TooOften, Unavailable)):
            self.failures += 1
            self.waiting.extendleft(reversed(self.sending))
        else:
            self.dropped += len(self.sending)
        log.warning("%d events were not sent: %s", len(self.sending), error)
        self.sending = ()

    def drop(self) -> None:
        """All that is left."""
        self.dropped += len(self)
        self.waiting.clear()
        self.sending = ()

    def counts(self) -> Counts:
        return Counts(self.stored, self.duplicates, self.rejected, self.dropped, len(self))


def _tell(each: Rejection) -> None:
    log.warning("an event was refused (%s): %s %s", each.code, each.message, each.remedy)


def pause_s(every_s: float, failures: int) -> float:
    """How long events wait for others; after failures, twice as long each time."""
    return min(max(_LONGEST_PAUSE_S, every_s), every_s * 2.0 ** min(failures, 30))

"""The newest searches and events of this process, and how its arms do: rings of fixed size, gone with the process."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from core.episodes import Feedback, Impression
from core.protocols import Outcome
from core.types import ArmReport, ArmStatus

_SEARCHES = 2_000
_EVENTS = 200
_CALLS = 500


@dataclass(frozen=True, slots=True)
class SeenSearch:
    """A search without what was shown: it is in the log. `logged` is false for a preview."""

    impression: Impression
    logged: bool


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """`late`: it came after the window of its search, so it is kept and not credited; None where the search is not
    known here any more."""

    event: Feedback
    outcome: Outcome
    query: str | None
    late: bool | None


@dataclass(frozen=True, slots=True)
class Refused:
    time: float
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """Of the newest calls: how many, how they ended, and milliseconds; NaN where nothing answered."""

    calls: int
    statuses: Mapping[str, int]
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class EventFigures:
    """Newest first. `outcomes` counts since the process started, refusals by their code."""

    since: float
    events: Sequence[SeenEvent]
    refused: Sequence[Refused]
    outcomes: Mapping[str, int]
    late: int


@dataclass(slots=True)
class Live:
    """Every method may be called from any thread."""

    clock: Callable[[], float]
    window_s: float
    since: float = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)
    _searches: OrderedDict[str, SeenSearch] = field(init=False, default_factory=OrderedDict)
    _events: deque[SeenEvent] = field(init=False, default_factory=lambda: deque(maxlen=_EVENTS))
    _refused: deque[Refused] = field(init=False, default_factory=lambda: deque(maxlen=_EVENTS))
    _outcomes: Counter[str] = field(init=False, default_factory=Counter)
    _late: int = field(init=False, default=0)
    _arms: dict[str, deque[ArmReport]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.since = self.clock()

    def searched(self, impression: Impression, *, logged: bool) -> None:
        with self._lock:
            self._searches[impression.query.id] = SeenSearch(impression, logged)
            while len(self._searches) > _SEARCHES:
                self._searches.popitem(last=False)
            for arm, report in impression.arms.items():
                self._arms.setdefault(arm, deque(maxlen=_CALLS)).append(report)

    def taken(self, events: Sequence[Feedback], outcomes: Sequence[Outcome]) -> None:
        """What was stored, or was there already."""
        with self._lock:
            for event, outcome in zip(events, outcomes, strict=True):
                if outcome in (Outcome.STORED, Outcome.DUPLICATE):
                    self._note(event, outcome)

    def refused(self, code: str, message: str, remedy: str) -> None:
        with self._lock:
            self._refused.appendleft(Refused(self.clock(), code, message, remedy))
            self._outcomes[code] += 1

    def search(self, query_id: str) -> SeenSearch | None:
        """None when it was never here, or is not among the newest 2,000."""
        with self._lock:
            return self._searches.get(query_id)

    def arms(self) -> dict[str, ArmFigures]:
        """Arm -> figures of its newest 500 calls; arms that were never asked are absent."""
        with self._lock:
            calls = {arm: list(reports) for arm, reports in self._arms.items()}
        return {arm: _figures(reports) for arm, reports in calls.items()}

    def events(self) -> EventFigures:
        with self._lock:
            return EventFigures(self.since, list(self._events), list(self._refused), dict(self._outcomes), self._late)

    def _note(self, event: Feedback, outcome: Outcome) -> None:
        search = self._searches.get(event.query_id)
        late = None
        if search is not None:
            late = min(event.time, event.received) - search.impression.query.time > self.window_s
        self._outcomes[outcome.value] += 1
        self._late += bool(late) and outcome is Outcome.STORED
        self._events.appendleft(SeenEvent(event, outcome, search.impression.query.text if search else None, late))


def _figures(reports: Sequence[ArmReport]) -> ArmFigures:
    answered = sorted(report.took_ms for report in reports if report.status is ArmStatus.OK)
    return ArmFigures(
        calls=len(reports),
        statuses=Counter(report.status.value for report in reports),
        p50_ms=_quantile(answered, 0.5),
        p99_ms=_quantile(answered, 0.99),
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan

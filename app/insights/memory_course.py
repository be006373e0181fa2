"""How the memory's entries for a query change from release to release, for the queries that somebody watches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock

from app.search.gaps import Gaps
from core.text import query_key
from core.types import ItemId
from retrievers.memory import Recollection

_QUERIES = 50
_ENTRIES = 8
_POINTS = 120
_MOST_S = 0.02  # that a look at one query waits for searches to end


@dataclass(frozen=True, slots=True)
class Held:
    """An entry at one time."""

    item_id: ItemId
    prior: float
    posterior: float
    examined: float


@dataclass(frozen=True, slots=True)
class Point:
    time: float
    release: int
    entries: tuple[Held, ...]


@dataclass(slots=True)
class _Watched:
    text: str
    points: list[Point] = field(default_factory=list)


class MemoryCourse:
    """The 50 queries that were watched last, each with at most 120 points: when there are more, every second goes.

    A point is kept when it differs from the one before. Every method may be called from any thread.
    """

    def __init__(self, recall: Callable[[str, int], Recollection], clock: Callable[[], float], gaps: Gaps) -> None:
        self._recall = recall
        self._clock = clock
        self._gaps = gaps
        self._lock = Lock()
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._release = -1

    def watch(self, texts: Iterable[str], release: int) -> None:
        """From now on. Those that are new have their first point at once."""
        for text in texts:
            key = query_key(text)
            if not key:
                continue
            with self._lock:
                new = key not in self._watched
                watched = self._watched.setdefault(key, _Watched(text))
                self._watched.move_to_end(key)
                while len(self._watched) > _QUERIES:
                    self._watched.popitem(last=False)
            if new:
                self._note(watched, release)

    def released(self, release: int) -> None:
        """Note what the memory holds now, if the release is another one than the last time."""
        if release == self._release:
            return
        self._release = release
        with self._lock:
            watched = list(self._watched.values())
        for each in watched:
            self._note(each, release)

    def points(self, text: str) -> list[Point]:
        """Oldest first; empty for a query that nobody watches."""
        with self._lock:
            found = self._watched.get(query_key(text))
            return list(found.points) if found else []

    def _note(self, watched: _Watched, release: int) -> None:
        self._gaps.wait(_MOST_S)
        entries = tuple(
            Held(entry.item_id, entry.prior, entry.posterior, entry.examined)
            for entry in self._recall(watched.text, _ENTRIES).entries
        )
        point = Point(self._clock(), release, entries)
        with self._lock:
            if watched.points and watched.points[-1].entries == entries:
                return
            watched.points.append(point)
            if len(watched.points) > _POINTS:
                del watched.points[1:-1:2]

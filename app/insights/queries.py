"""The queries that people ask most, and those that nothing answers well: counts of bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.episodes import Episode
from core.text import query_key

_MOST = 4_000
_SHOWN = 50
_LEAST_SEARCHES = 5
_LOW = 0.1


@dataclass(slots=True)
class _Asked:
    text: str
    searches: int = 0
    empty: int = 0
    clicked: int = 0
    last: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "query": self.text,
            "searches": self.searches,
            "empty": self.empty,
            "clicked": self.clicked,
            "last": self.last,
        }


class Queries:
    """Counts by normalised query. When there are too many, the rarer half is forgotten: what is asked often stays."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._asked: dict[str, _Asked] = {}
        self._forgotten = 0

    def add(self, episode: Episode) -> None:
        impression = episode.impression
        if impression.first_position != 1 or not impression.query.text.strip():
            return
        asked = self._asked.setdefault(query_key(impression.query.text), _Asked(impression.query.text))
        asked.searches += 1
        asked.empty += _empty(episode)
        asked.clicked += any(gain > 0 for gain in episode.gains)
        asked.last = max(asked.last, impression.query.time)
        if len(self._asked) > self._most:
            self._forget()

    def to_json(self) -> dict[str, Any]:
        """The first 50 of each kind. `low`: asked five times at least, with a click in less than a tenth of them."""
        low = [each for each in self._asked.values() if each.searches >= _LEAST_SEARCHES and _rate(each) < _LOW]
        return {
            "known": len(self._asked),
            "forgotten": self._forgotten,
            "frequent": self._first(lambda each: each.searches),
            "empty": self._first(lambda each: each.empty),
            "low": [each.to_json() for each in sorted(low, key=lambda each: -each.searches)[:_SHOWN]],
        }

    def _first(self, count: Callable[[_Asked], int]) -> list[dict[str, Any]]:
        counted = [each for each in self._asked.values() if count(each)]
        return [each.to_json() for each in sorted(counted, key=lambda each: (-count(each), each.text))[:_SHOWN]]

    def _forget(self) -> None:
        by_count = sorted(self._asked.items(), key=lambda entry: (-entry[1].searches, -entry[1].last))
        self._forgotten += len(by_count) - self._most // 2
        self._asked = dict(by_count[: self._most // 2])


def _rate(asked: _Asked) -> float:
    return asked.clicked / asked.searches


def _empty(episode: Episode) -> bool:
    """Whether the asked arms found nothing; what was popular may have been shown instead."""
    return not any(
        report.found for arm, report in episode.impression.arms.items() if arm in episode.impression.choice.plan.depths
    )

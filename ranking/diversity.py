"""The last step: a page that does not show one seller, or one thing, over and over.

Greedy re-ranking under upper bounds: at each place the best remaining candidate that fits, which for one attribute of
single values is as good as any order that keeps the bounds (Celis, Straszak and Vishnoi 2018, "Ranking with Fairness
Constraints"). Near duplicates are maximal marginal relevance (Carbonell and Goldstein 1998) with a threshold instead of
a trade-off: what is too similar to something on the page is not shown on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from core.text import tokens
from core.types import Item, ItemId

_DAY_S = 86_400.0


class Diversified(NamedTuple):
    """`order`: rows of the given items. `held_back`: why, of those that stand lower than they stood."""

    order: list[int]
    held_back: dict[ItemId, str]


@dataclass(frozen=True, slots=True)
class Diversity:
    """What every `page` places must keep, whatever the size that is asked for: so pages neither repeat nor miss items.

    `limit`: attribute (or `type`) -> how many of one value. `near_duplicates`: Jaccard similarity of the titles' words
    from which on two items are one too many; 0: never. `fresh`: date -> days; the last place of a page goes to the best
    item with such a date so shortly ago, unless one is on the page already.
    """

    page: int
    limit: Mapping[str, int]
    near_duplicates: float
    fresh: Mapping[str, float]

    @property
    def off(self) -> bool:
        return not (self.limit or self.near_duplicates or self.fresh)

    def order(self, items: Sequence[Item], *, now: float) -> Diversified:
        """At each place the best remaining item that fits its page; where none does, the best. `items` best first."""
        traits = [self._traits(item, now) for item in items]
        obstacles: dict[int, _Obstacle] = {}
        waiting, order = list(range(len(items))), list[int]()
        while waiting:
            page = self._filled(waiting, traits, obstacles)
            self._freshen(page, waiting, traits, obstacles)
            order += page
            waiting = sorted(set(waiting).difference(page))
        lower = {row for place, row in enumerate(order) if place > row}
        return Diversified(
            order, {items[row].id: self._words(obstacles[row], items) for row in sorted(lower & obstacles.keys())}
        )

    def _filled(self, waiting: list[int], traits: Sequence[_Traits], obstacles: dict[int, _Obstacle]) -> list[int]:
        """The next page. `obstacles` takes up, for those that do not fit for the first time, why."""
        page, unfit = _Page(self), list[int]()
        for row in waiting:
            if len(page.rows) == self.page:
                break
            if obstacle := page.obstacle(traits[row]):
                obstacles.setdefault(row, obstacle)
                unfit.append(row)
            else:
                page.add(row, traits[row])
        # Where nothing that fits is left, the bounds give way, not the page.
        return page.rows + unfit[: self.page - len(page.rows)]

    def _freshen(
        self, page: list[int], waiting: list[int], traits: Sequence[_Traits], obstacles: dict[int, _Obstacle]
    ) -> None:
        """Give the last place to a fresh item that fits beside the others, if none is there."""
        if not self.fresh or any(traits[row].fresh for row in page):
            return
        kept = _Page(self)
        for row in page[:-1]:
            kept.add(row, traits[row])
        there = set(page)
        others = (row for row in waiting if row not in there and traits[row].fresh)
        if (found := next((row for row in others if not kept.obstacle(traits[row])), None)) is not None:
            obstacles.setdefault(page[-1], _Obstacle(by=found))
            page[-1] = found

    def _traits(self, item: Item, now: float) -> _Traits:
        labels = [
            (name, value)
            for name in self.limit
            for value in ((item.type,) if name == "type" else dict.fromkeys(item.attributes.get(name, ())))
        ]
        title = _title_words(item.fields.get("title", "")) if self.near_duplicates else frozenset[str]()
        ages = [(now - item.dates[name], days * _DAY_S) for name, days in self.fresh.items() if name in item.dates]
        return _Traits(labels, title, any(0 <= age <= most for age, most in ages))

    def _words(self, obstacle: _Obstacle, items: Sequence[Item]) -> str:
        if obstacle.label:
            name, value = obstacle.label
            return f"{name} = {value}: {self.limit[name]} on the page"
        if obstacle.like is not None:
            return f"near duplicate of {items[obstacle.like].id}"
        return "made room for something fresh"


class _Traits(NamedTuple):
    """What the rules look at."""

    labels: list[tuple[str, str]]
    title: frozenset[str]
    fresh: bool


class _Obstacle(NamedTuple):
    """Why an item did not fit: a full label, a row that it is like, or a fresh row that took its place."""

    label: tuple[str, str] | None = None
    like: int | None = None
    by: int | None = None


class _Page:
    """What is on a page so far."""

    def __init__(self, rules: Diversity) -> None:
        self.rows: list[int] = []
        self._rules = rules
        self._counts: Counter[tuple[str, str]] = Counter()
        self._titles: dict[int, frozenset[str]] = {}

    def add(self, row: int, traits: _Traits) -> None:
        self.rows.append(row)
        self._counts.update(traits.labels)
        if traits.title:
            self._titles[row] = traits.title

    def obstacle(self, traits: _Traits) -> _Obstacle | None:
        """Why such an item does not fit; None when it does."""
        for label in traits.labels:
            if self._counts[label] >= self._rules.limit[label[0]]:
                return _Obstacle(label=label)
        words, most = traits.title, self._rules.near_duplicates
        for row, others in self._titles.items() if words else ():
            shared = len(words & others)
            if shared and shared >= most * (len(words) + len(others) - shared):
                return _Obstacle(like=row)
        return None


@lru_cache(maxsize=100_000)
def _title_words(title: str) -> frozenset[str]:
    return frozenset(tokens(title))

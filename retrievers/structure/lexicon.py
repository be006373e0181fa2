"""What the words of a catalogue can name, counted over its items: the lexicon behind the readings of a query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import orjson

from core.long_json import array_parts, mapping_parts, object_parts
from core.pace import unhurried
from retrievers.structure.facts import WHOLE, Facts

Votes = dict[str, int]


class Lexicon:
    """Votes of the items for what a phrase, a title word or a unit means. Follows the catalogue item by item.

    One thread may write while others read: readers take copies of small dictionaries.
    """

    def __init__(self) -> None:
        self._names: dict[str, Votes] = {}
        self._units: dict[str, Votes] = {}
        self._plain: Counter[str] = Counter()
        self._titles: Counter[str] = Counter()
        self._spelt: dict[tuple[str, str], str] = {}

    def add(self, facts: Facts) -> None:
        self._count(_counted(facts), 1)
        self._spelt.update(facts.spelt)

    def remove(self, facts: Facts) -> None:
        """Take back what `add` counted for the same facts."""
        self._count(_counted(facts), -1)
        self._forget_spelling(facts)

    def replace(self, old: Facts, new: Facts) -> None:
        """As `remove` and `add`, but only what the two do not share is touched: most changes of an item are small."""
        before, after = _counted(old), _counted(new)
        self._count(_without(before, after), -1)
        self._count(_without(after, before), 1)
        self._forget_spelling(old)
        self._spelt.update(new.spelt)

    def dump(self) -> bytes:
        """Nobody may write meanwhile; it takes its time beside searches."""
        counted: Mapping[str, Mapping[str, object]] = {
            "names": self._names, "units": self._units, "plain": self._plain, "titles": self._titles
        }  # fmt: skip
        parts = {name: mapping_parts(counts) for name, counts in counted.items()}
        spelt = ((*key, value) for key, value in self._spelt.items())
        return b"".join(unhurried(object_parts({**parts, "spelt": array_parts(spelt)})))

    @classmethod
    def load(cls, data: bytes) -> Lexicon:
        """What `dump` made."""
        stored = orjson.loads(data)
        found = cls()
        found._names, found._units = stored["names"], stored["units"]
        found._plain, found._titles = Counter(stored["plain"]), Counter(stored["titles"])
        found._spelt = {(name, phrase): value for name, phrase, value in stored["spelt"]}
        return found

    def names(self, phrase: str) -> Mapping[str, int]:
        """Attribute -> votes (WHOLE for each item with such a value) that the phrase names a value of it."""
        return dict(self._names.get(phrase, ()))

    def plain(self, word: str) -> int:
        """Votes that the word is just a word: WHOLE for each title with it where no value explains it."""
        return WHOLE * self._plain[word]

    def titles(self, word: str) -> int:
        """The number of items with the word in their title."""
        return self._titles[word]

    def numbers(self, unit: str) -> Mapping[str, int]:
        """Number -> votes that a figure in the unit (or beside the word) means that number."""
        return dict(self._units.get(unit, ()))

    def spelt(self, name: str, phrase: str) -> str:
        """The value as the catalogue spells it; the phrase itself when it is only a part of values."""
        return self._spelt.get((name, phrase), phrase)

    def _forget_spelling(self, facts: Facts) -> None:
        for name, phrase in facts.spelt:
            if name not in self._names.get(phrase, ()):
                self._spelt.pop((name, phrase), None)

    def _count(self, found: _Counted, sign: int) -> None:
        for (name, phrase), votes in found.phrases:
            _vote(self._names, phrase, name, sign * votes)
        for (unit, name), votes in found.units:
            _vote(self._units, unit, name, sign * votes)
        for counts, words in ((self._plain, found.plain), (self._titles, found.title)):
            for word in words:
                counts[word] += sign
                if not counts[word]:
                    del counts[word]


class _Counted(NamedTuple):
    """What of an item's facts is counted: entries of (what, whose) with votes, and words."""

    phrases: AbstractSet[tuple[tuple[str, str], int]]
    units: AbstractSet[tuple[tuple[str, str], int]]
    plain: AbstractSet[str]
    title: AbstractSet[str]


def _counted(facts: Facts) -> _Counted:
    return _Counted(facts.phrases.items(), facts.units.items(), facts.plain, facts.title)


def _without(some: _Counted, others: _Counted) -> _Counted:
    return _Counted(
        some.phrases - others.phrases, some.units - others.units, some.plain - others.plain, some.title - others.title
    )


def _vote(table: dict[str, Votes], key: str, name: str, votes: int) -> None:
    found = table.setdefault(key, {})
    found[name] = found.get(name, 0) + votes
    if not found[name]:
        del found[name]
        if not found:
            del table[key]

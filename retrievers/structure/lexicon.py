"""What the words of a catalogue can name, counted over its items: the lexicon behind the readings of a query."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

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
        self._count(facts, 1)
        self._spelt.update(facts.spelt)

    def remove(self, facts: Facts) -> None:
        """Take back what `add` counted for the same facts."""
        self._count(facts, -1)
        for name, phrase in facts.spelt:
            if name not in self._names.get(phrase, ()):
                self._spelt.pop((name, phrase), None)

    def save(self, folder: Path) -> None:
        """Write everything to a file in this folder."""
        spelt = [[*key, value] for key, value in self._spelt.items()]
        counted = {"names": self._names, "units": self._units, "plain": self._plain, "titles": self._titles}
        text = json.dumps({**counted, "spelt": spelt}, ensure_ascii=False)
        (folder / "lexicon.json").write_text(text, encoding="utf-8")

    @classmethod
    def saved(cls, folder: Path) -> Lexicon:
        """As it was saved there."""
        stored = json.loads((folder / "lexicon.json").read_bytes())
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

    def _count(self, facts: Facts, sign: int) -> None:
        for (name, phrase), votes in facts.phrases.items():
            _vote(self._names, phrase, name, sign * votes)
        for (unit, name), votes in facts.units.items():
            _vote(self._units, unit, name, sign * votes)
        for counts, found in ((self._plain, facts.plain), (self._titles, facts.title)):
            for word in found:
                counts[word] += sign
                if not counts[word]:
                    del counts[word]


def _vote(table: dict[str, Votes], key: str, name: str, votes: int) -> None:
    found = table.setdefault(key, {})
    found[name] = found.get(name, 0) + votes
    if not found[name]:
        del found[name]
        if not found:
            del table[key]

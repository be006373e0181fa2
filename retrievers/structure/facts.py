"""What one item says that a query could name: phrases of its values, figures with units, words of its title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from core.text import STOP_WORDS, tokens
from core.types import Item
from retrievers.document import title
from retrievers.structure.quantities import MONEY, YEAR, figures, is_listed, sole_figure, unit_of

# Votes for "this phrase names a value of this attribute": a whole value says so more clearly than a part of one.
WHOLE, PART = 4, 1
MAX_PHRASE = 5
_MAX_PART = 3
_TEXT_CHARACTERS = 400
# An attribute may be called `type` too; filters mean the item's type by it.
_TYPE_ATTRIBUTE = "type of"


@dataclass(frozen=True, slots=True)
class Facts:
    """`phrases`: (attribute, phrase) -> votes. `units`: (unit, attribute) -> votes that figures in it mean that one."""

    phrases: Mapping[tuple[str, str], int]
    spelt: Mapping[tuple[str, str], str]
    numbers: tuple[tuple[str, float], ...]
    units: Mapping[tuple[str, str], int]
    title: frozenset[str]
    title_length: int

    @property
    def plain(self) -> frozenset[str]:
        """Words of the title that no value of the item explains."""
        return self.title - {word for _, phrase in self.phrases for word in phrase.split()}


def facts_of(item: Item) -> Facts:
    """All that a query could name of it."""
    phrases: dict[tuple[str, str], int] = {}
    spelt: dict[tuple[str, str], str] = {}
    for name, value in _named_values(item):
        votes, spellings = _votes(name, value)
        said_twice = phrases.keys() & votes.keys()
        phrases |= votes if not said_twice else {**votes, **{key: max(phrases[key], votes[key]) for key in said_twice}}
        spelt |= spellings
    words = tokens(title(item))
    return replace(figures_of(item), phrases=phrases, spelt=spelt, title=frozenset(words), title_length=len(words))


def figures_of(item: Item) -> Facts:
    """The same without words: all that may differ between two items that say the same."""
    numbers = tuple(item.numbers.items())
    measured = [
        (name, figure)
        for name, found in item.attributes.items()
        for value in found
        if len(value) < 30 and (figure := sole_figure(value))
    ]
    units = _units(item, [*numbers, *((name, value) for name, (value, _) in measured)])
    units |= {(unit, name): WHOLE for name, (_, unit) in measured}
    return Facts(
        phrases={},
        spelt={},
        numbers=tuple(dict.fromkeys([*numbers, *((name, value) for name, (value, _) in measured)])),
        units=units,
        title=frozenset(),
        title_length=0,
    )


def _text(item: Item) -> str:
    return f"{title(item)} . {item.fields.get('description', '')[:_TEXT_CHARACTERS]}"


# Kept for a short while: when an item changes, what it said before is asked for as well, and mostly in the same text.
@lru_cache(maxsize=4_096)
def _figures_in(text: str) -> frozenset[tuple[float, str]]:
    return frozenset(figures(text))


def _named_values(item: Item) -> Iterator[tuple[str, str]]:
    """The item's type, its attributes, and its fields other than prose; ids of other items are no words."""
    yield "type", item.type
    for name, values in item.attributes.items():
        if not name.endswith("_id"):
            for value in values:
                yield (_TYPE_ATTRIBUTE if name == "type" else name), value
    for name, text in item.fields.items():
        if name not in ("title", "description"):
            yield (_TYPE_ATTRIBUTE if name == "type" else name), text


class _Votes(NamedTuple):
    """(attribute, phrase) -> votes, and of whole values the spelling."""

    phrases: Mapping[tuple[str, str], int]
    spelt: Mapping[tuple[str, str], str]


@lru_cache(maxsize=100_000)
def _votes(name: str, value: str) -> _Votes:
    found = _phrases(value)
    return _Votes(
        {(name, phrase): votes for phrase, (votes, _) in found.items()},
        {(name, phrase): spelling for phrase, (votes, spelling) in found.items() if votes == WHOLE},
    )


def _phrases(value: str) -> Mapping[str, tuple[int, str]]:
    """Phrase -> (votes, spelling) for all that can name the value, or one value of a list with commas.

    Long values are prose and name nothing.
    """
    found: dict[str, tuple[int, str]] = {}
    for part in value[:_TEXT_CHARACTERS].split(","):
        words = tokens(part)
        if len(words) > MAX_PHRASE:
            continue
        for start in range(len(words)):
            for end in range(start + 1, min(start + _MAX_PART, len(words)) + 1):
                if _can_name(words[start:end]):
                    found.setdefault(" ".join(words[start:end]), (PART, ""))
        if _can_name(words):
            found[" ".join(words)] = WHOLE, part.strip()
    return found


def _can_name(words: list[str]) -> bool:
    """A short bare figure or a letter names too many things, and a phrase does not hang on `of` or `the`."""
    if not words or words[0] in STOP_WORDS or words[-1] in STOP_WORDS:
        return False
    return any(len(word) > 1 and (len(word) > 3 or not word.isdigit()) for word in words)


def _units(item: Item, numbers: list[tuple[str, float]]) -> dict[tuple[str, str], int]:
    """A unit belongs to a number when the text states the number's value in it, or when its name says so."""
    votes: dict[tuple[str, str], int] = {}
    by_value: dict[float, list[str]] = {}
    for name, value in numbers:
        by_value.setdefault(value, []).append(name)
        for unit in _units_in(name):
            votes[unit, name] = PART
    for value, unit in _figures_in(_text(item)):
        for name in by_value.get(value, ()):
            votes[unit, name] = WHOLE
    return votes


@lru_cache(maxsize=20_000)
def _units_in(name: str) -> tuple[str, ...]:
    """`screen size (in)` -> inch, screen, size; `price` -> money and price."""
    words = tokens(name.replace("_", " "))
    found = [word for word in words if len(word) > 3 and word.isalpha()]
    if words and is_listed(words[-1]):
        found.append(unit_of(words[-1]))
    if "price" in words:
        found.append(MONEY)
    if "year" in words:
        found.append(YEAR)
    return tuple(dict.fromkeys(found))

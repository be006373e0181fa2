"""Figures with units in text: `17 inch`, `16gb`, `under 300`, `between 100 and 200 euro`, `over 5 megapixel`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from core.text import fold, stem

MONEY = "money"
YEAR = "year"
# Spellings of one unit. A unit that is not here still works, spelt as the catalogue spells it (`port`, `sheet`).
_SPELLINGS = {
    "inch": ("in", "inch", "inche", '"', "''", "”"),
    "gb": ("gb", "gig", "gigabyte"),
    "tb": ("tb", "terabyte"),
    "mb": ("mb", "megabyte"),
    "mp": ("mp", "mpix", "mpixel", "megapixel"),
    "kg": ("kg", "kilo", "kilogram"),
    "g": ("g", "gram"),
    "lb": ("lb", "pound"),
    "m": ("m", "meter", "metre"),
    "ft": ("ft", "foot", "feet"),
    "w": ("w", "watt"),
    "v": ("v", "volt"),
    "min": ("min", "minute"),
    MONEY: ("$", "€", "£", "usd", "eur", "euro", "gbp", "dollar", "buck"),
}
_UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
# The unit and factor that catalogues may keep the figure in instead.
CONVERSIONS = {"tb": ("gb", 1000.0), "mb": ("gb", 0.001), "kg": ("g", 1000.0), "g": ("kg", 0.001)}
# `17 inch` also means 17.3, and `15 inch` 15.6.
_TOLERANCE = 0.04
_YEARS = range(1900, 2101)

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,6})?|\d{1,12}(?:[.,]\d{1,6})?"
_AFTER = r"[a-z]{1,12}(?![^\W_])|\"|''|”|€|\$|£"
_MONEY_SIGN = r"[$€£]?\s?"
_BELOW = "under|below|less than|cheaper than|lighter than|smaller than|up to|at most|max|maximum|before|<=|<"
_ABOVE = "over|above|more than|at least|larger than|bigger than|min|minimum|after|since|>=|>"
_FIGURE = re.compile(rf"(?<![\w.,\-])({_NUMBER})\s?-?(?:({_AFTER})|(?![\w.,]))")
_RANGE = re.compile(
    rf"(?<![\w.,\-])(?P<opening>between\s|from\s)?\s*(?P<sign>{_MONEY_SIGN})(?P<low>{_NUMBER})\s?(?:{_AFTER})??\s*"
    rf"(?P<joint>-|–|to|and)\s*{_MONEY_SIGN}(?P<high>{_NUMBER})(?![\w.])\s?"
)
_SINGLE = re.compile(
    rf"(?<![\w.,\-])(?:(?P<below>{_BELOW})\s*|(?P<above>{_ABOVE})\s*)?"
    rf"(?P<sign>{_MONEY_SIGN})(?P<value>{_NUMBER})(?![.,]?\d)\s?-?"
)
_UNIT_HERE = re.compile(_AFTER)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Characters `start` to `end` of the folded text say: low <= figure <= high, in `unit` (empty: none is named)."""

    start: int
    end: int
    low: float
    high: float
    unit: str
    compared: bool


def unit_of(word: str) -> str:
    """The unit that a folded word or sign spells; the stemmed word itself where the table lacks it."""
    return _UNITS.get(word) or _UNITS.get(stem(word)) or stem(word)


def is_listed(word: str) -> bool:
    """Whether the table of spellings has the folded word."""
    return word in _UNITS


def is_unit(unit: str) -> bool:
    """Whether the table of spellings has the unit."""
    return unit in _SPELLINGS


def figures(text: str) -> set[tuple[float, str]]:
    """Every (value, unit) that a catalogue text states; the unit is whatever word follows the figure."""
    return {(_value(match[1]), unit_of(match[2])) for match in _FIGURE.finditer(fold(text)) if match[2]}


@lru_cache(maxsize=20_000)
def sole_figure(value: str) -> tuple[float, str] | None:
    """(value, unit) of an attribute value such as `17.3 in`, which is nothing but that."""
    match = _FIGURE.fullmatch(fold(value).strip())
    return (_value(match[1]), unit_of(match[2])) if match and match[2] else None


def quantities(folded: str, known: Callable[[str], bool]) -> Iterator[Quantity]:
    """The quantities that a folded query asks for, left to right. `known` tells the units that the catalogue uses."""
    at = 0
    while match := _SINGLE.search(folded, at):
        span = _RANGE.search(folded, at)
        found = _range(folded, span, known) if span and span.start() <= match.start() else None
        found = found or _single(folded, match, known)
        yield found
        at = max(found.end, match.start() + 1)


def _range(folded: str, match: re.Match[str], known: Callable[[str], bool]) -> Quantity | None:
    low, high = _value(match["low"]), _value(match["high"])
    if low >= high or (match["joint"] == "and" and not match["opening"]):
        return None
    unit, end = _unit(folded, match.end(), match["sign"], known)
    return Quantity(match.start(), end, low, high, unit, True)


def _single(folded: str, match: re.Match[str], known: Callable[[str], bool]) -> Quantity:
    value = _value(match["value"])
    unit, end = _unit(folded, match.end(), match["sign"], known)
    if not unit and value in _YEARS and len(match["value"]) == 4:
        unit = YEAR if (match["below"] or match["above"]) in (None, "before", "after", "since") else ""
    if match["below"]:
        return Quantity(match.start(), end, -math.inf, value, unit, True)
    if match["above"]:
        return Quantity(match.start(), end, value, math.inf, unit, True)
    slack = 0.0 if unit == YEAR else abs(value) * _TOLERANCE
    return Quantity(match.start(), end, value - slack, value + slack, unit, False)


def _unit(folded: str, at: int, sign: str, known: Callable[[str], bool]) -> tuple[str, int]:
    """The unit that starts at `at`, and where it ends."""
    match = _UNIT_HERE.match(folded, at)
    if match and (is_listed(match[0]) or known(unit_of(match[0]))):
        return unit_of(match[0]), match.end()
    return (MONEY if sign.strip() else ""), at


def _value(number: str) -> float:
    """A comma before three digits groups thousands, any other is a decimal comma."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number):
        return float(number.replace(",", ""))
    return float(number.replace(",", "."))

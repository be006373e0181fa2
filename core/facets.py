"""What a facet says: how many of the items that were found have which value, or a figure in which range."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How many items have this value of an attribute."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class RangeCount:
    """How many items have a figure from `low` to `high`, which are the least and the greatest there is in the range."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The facet of a number: ranges in ascending order that neither overlap nor miss an item."""

    ranges: tuple[RangeCount, ...]


Facet = tuple[ValueCount, ...] | Figures

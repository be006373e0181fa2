"""What a filter means: an attribute has one of the wanted values (`type` is one too), or a number is in a range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from core.types import Item, ItemId, Range

Filters = Mapping[str, tuple[str, ...] | Range]
NO_FILTERS: Filters = MappingProxyType({})


def facets(item: Item) -> Iterator[tuple[str, str]]:
    """Every (name, value) that the item can be filtered by. An attribute called `type` is hidden by the item's type."""
    yield "type", item.type
    for name, values in item.attributes.items():
        if name != "type":
            for value in dict.fromkeys(values):
                yield name, value


def matches(item: Item, filters: Filters) -> bool:
    """Whether the item passes all filters. Values compare exactly, case included; no number is in no range."""
    return all(_passes(item, name, wanted) for name, wanted in filters.items())


def passes(item_id: ItemId, items: Mapping[ItemId, Item], filters: Filters) -> bool:
    """Whether the item with this id passes; without filters it need not be looked up, and who is gone passes none."""
    return not filters or ((item := items.get(item_id)) is not None and matches(item, filters))


def _passes(item: Item, name: str, wanted: tuple[str, ...] | Range) -> bool:
    if isinstance(wanted, Range):
        return name in item.numbers and wanted.low <= item.numbers[name] <= wanted.high
    if name == "type":
        return item.type in wanted
    return not set(wanted).isdisjoint(item.attributes.get(name, ()))


def values_of(filters: Filters) -> dict[str, tuple[str, ...]]:
    """The filters by values."""
    return {name: wanted for name, wanted in filters.items() if not isinstance(wanted, Range)}


def ranges_of(filters: Filters) -> dict[str, Range]:
    """The filters by ranges."""
    return {name: wanted for name, wanted in filters.items() if isinstance(wanted, Range)}

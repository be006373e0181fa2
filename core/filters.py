"""What a filter means: every named attribute has one of the wanted values (`type` is an attribute too)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.types import Item

Filters = Mapping[str, tuple[str, ...]]


def facets(item: Item) -> Iterator[tuple[str, str]]:
    """Every (name, value) that the item can be filtered by."""
    yield "type", item.type
    for name, values in item.attributes.items():
        for value in values:
            yield name, value


def matches(item: Item, filters: Filters) -> bool:
    """Whether the item passes all filters. Values compare exactly, case included."""
    return all(
        item.type in wanted if name == "type" else not set(wanted).isdisjoint(item.attributes.get(name, ()))
        for name, wanted in filters.items()
    )

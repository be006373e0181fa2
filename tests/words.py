"""Short ways to write the nouns in tests."""

from __future__ import annotations

from collections.abc import Mapping

from core.types import Item, ItemId, Query, QueryId, Range


def item(
    item_id: str,
    title: str,
    *,
    kind: str = "product",
    popularity: float | None = None,
    numbers: Mapping[str, float] | None = None,
    **attributes: str,
) -> Item:
    """An item with a title and single-valued attributes."""
    figures = {**(numbers or {}), **({} if popularity is None else {"popularity": popularity})}
    return Item(ItemId(item_id), kind, {"title": title}, {name: (v,) for name, v in attributes.items()}, figures)


def query(text: str, query_id: str = "q", **filters: str | Range) -> Query:
    """A query with ranges and single values as filters, asked at time 0."""
    wanted = {name: value if isinstance(value, Range) else (value,) for name, value in filters.items()}
    return Query(QueryId(query_id), text, 0.0, filters=wanted)

"""Short ways to write the nouns in tests."""

from __future__ import annotations

from core.types import Item, ItemId, Query, QueryId


def item(
    item_id: str, title: str, *, kind: str = "product", popularity: float | None = None, **attributes: str
) -> Item:
    """An item with a title and single-valued attributes."""
    numbers = {} if popularity is None else {"popularity": popularity}
    return Item(ItemId(item_id), kind, {"title": title}, {name: (v,) for name, v in attributes.items()}, numbers)


def query(text: str, query_id: str = "q", **filters: str) -> Query:
    """A query with single-valued filters, asked at time 0."""
    return Query(QueryId(query_id), text, 0.0, filters={name: (value,) for name, value in filters.items()})

"""The text of an item as the retrievers see it: what it says about itself, and what its attributes say."""

from __future__ import annotations

from core.types import Item

# The title counts this many times in the term frequencies, which is BM25F with one field weight (Robertson, Zaragoza
# and Taylor 2004, "Simple BM25 extension to multiple weighted fields").
TITLE_WEIGHT = 2


def title(item: Item) -> str:
    return item.fields.get("title", "")


def prose(item: Item) -> str:
    """All text fields, the title first and TITLE_WEIGHT times."""
    others = (text for name, text in item.fields.items() if name != "title")
    return " ".join([*[title(item)] * TITLE_WEIGHT, *others])


def labels(item: Item) -> str:
    """The item's type and attribute values; ids of other items (`artist_id`) are no words."""
    values = [value for name, found in item.attributes.items() if not name.endswith("_id") for value in found]
    return " ".join([item.type, *values])


def passage(item: Item) -> str:
    """What the encoder reads: fields and labels once, the title first. An encoder cuts what is too long for it."""
    others = [text for name, text in item.fields.items() if name != "title"]
    return ". ".join(part for part in [title(item), *others, labels(item)] if part)

"""The text of an item as the retrievers see it: what it says about itself, and what its attributes say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from core.types import Item

# The title counts this many times in the term frequencies, which is BM25F with one field weight (Robertson, Zaragoza
# and Taylor 2004, "Simple BM25 extension to multiple weighted fields").
TITLE_WEIGHT = 2
# What the bundled encoder reads, 256 tokens, and little more; encoding time grows with the length that there is.
_PASSAGE_CHARACTERS = 1_200
_PASSAGE_LABELS = 6


def title(item: Item) -> str:
    return item.fields.get("title", "")


def prose(item: Item) -> str:
    """All text fields, the title first and TITLE_WEIGHT times."""
    return " ".join([*[title(item)] * TITLE_WEIGHT, *_others(item)])


def prose_tokens(item: Item, tokens: Callable[[str], list[str]]) -> list[str]:
    """The tokens of `prose`, for less: the title is read once."""
    return [*tokens(title(item)) * TITLE_WEIGHT, *tokens(" ".join(_others(item)))]


def voices(item: Item) -> str:
    """What customers wrote: reviews, questions and answers."""
    asked = [text for question in item.questions for text in (question.text, *question.answers)]
    return " ".join([*(review.text for review in item.reviews), *asked])


def label_values(item: Item) -> list[str]:
    """The attributes' values; ids of other items (`artist_id`) are no words."""
    return [value for name, found in item.attributes.items() if not name.endswith("_id") for value in found]


def labels(item: Item) -> str:
    """The item's type and attribute values."""
    return " ".join([item.type, *label_values(item)])


def passage(item: Item) -> str:
    """What the encoder reads: fields, type and a few plain labels; figures and long lists only blur a vector."""
    others = [text for name, text in item.fields.items() if name != "title"]
    plain = [value for value in label_values(item) if len(value) <= 24 and not _has_digit(value)]
    text = ". ".join(part for part in [title(item), *others, ", ".join([item.type, *plain[:_PASSAGE_LABELS]])] if part)
    return text[:_PASSAGE_CHARACTERS]


@lru_cache(maxsize=20_000)
def _has_digit(value: str) -> bool:
    return any(map(str.isdigit, value))


def _others(item: Item) -> Iterator[str]:
    return (text for name, text in item.fields.items() if name != "title")

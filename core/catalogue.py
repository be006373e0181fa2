"""The catalogue of items, the one durable truth that every index is derived from; and what it is to be derived from it.

Each change gets a sequence number; whoever follows the catalogue asks for the changes since the last number it saw,
in the same process or another. A deleted item leaves a tombstone so that followers learn of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import orjson

from core.types import Item, ItemId, Question, Review


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened up to and including `sequence`."""

    sequence: int
    upserts: list[Item]
    deletes: list[ItemId]


class Catalogue(Protocol):
    """Items that threads and processes share. A write is durable when it returns."""

    def put(self, items: Sequence[Item]) -> int:
        """Insert or replace all of them, or none; the last of an id counts. The new sequence number."""
        ...

    def delete(self, item_id: ItemId) -> bool:
        """Whether the item was there."""
        ...

    def get(self, item_id: ItemId) -> Item | None: ...

    def changes(self, after: int, limit: int = 100_000) -> Changes:
        """The next changes with a sequence above `after`, in order; at most `limit` of them.

        Nothing with a smaller number appears later: whoever has seen a number has seen all of before.
        """
        ...

    @property
    def name(self) -> str:
        """Tells this catalogue from any other, for ever: a sequence number means nothing without it."""
        ...

    def sequence(self) -> int:
        """The number of the latest change."""
        ...

    def __len__(self) -> int: ...

    def close(self) -> None: ...


class Indexed(Protocol):
    """Anything derived from the catalogue that follows its changes, and needs not be derived again at every start."""

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        """Take the changes in: afterwards every upsert is visible and no deleted id is. Idempotent."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `restore` needs into this empty folder. No `apply` runs meanwhile; reading goes on."""
        ...

    def restore(self, folder: Path) -> None:
        """Become what was saved: called on a new object instead of applying all items. Any error means: start anew.

        The folder may be gone afterwards.
        """
        ...


@runtime_checkable
class Copied(Protocol):
    """Anything Indexed that can be saved as it is now while it changes already, because a copy of it costs little."""

    def saving(self) -> Callable[[Path], None]:
        """Quick. Writes, when called, what `save` would have written now; changes may go on meanwhile."""
        ...


@runtime_checkable
class Selective(Protocol):
    """Anything Indexed that reads only a part of an item, and needs not be told when only the rest has changed."""

    def reads_the_same(self, old: Item, new: Item) -> bool:
        """Whether nothing that it derives from the one differs from what it derives from the other. Cheap."""
        ...


@runtime_checkable
class Repriced(Protocol):
    """Anything Indexed that new figures of an item cost much less than an item: a feed brings them all day."""

    def reprice(self, items: Sequence[Item]) -> None:
        """As `apply` does, for items that it holds and that say what they said: see `same_words`. Each once."""
        ...


@runtime_checkable
class Prepared(Protocol):
    """Anything Indexed whose changes take long to work out, apart from making them visible."""

    def prepare(self, upserts: Sequence[Item]) -> None:
        """Called in another thread just before `apply` of the same items, while others are told of them: do what can
        be done without changing an answer."""
        ...


def same_words(old: Item, new: Item) -> bool:
    """Whether all is the same but figures (`numbers` and `dates`), pictures and relations."""
    return (
        old.fields == new.fields
        and old.attributes == new.attributes
        and old.type == new.type
        and old.reviews == new.reviews
        and old.questions == new.questions
    )


def item_to_json(item: Item) -> str:
    """All but the id, without what is empty: most items have neither reviews nor relations."""
    body = {
        "type": item.type,
        "fields": item.fields,
        "attributes": item.attributes,
        "numbers": item.numbers,
        "dates": item.dates,
        "images": item.images,
        "relations": item.relations,
        "reviews": item.reviews,
        "questions": item.questions,
    }
    return orjson.dumps({name: value for name, value in body.items() if value or name in {"type", "fields"}}).decode()


def item_from_json(item_id: ItemId, body: str | bytes) -> Item:
    """What `item_to_json` made of an item."""
    raw: dict[str, Any] = orjson.loads(body)
    return Item(
        id=item_id,
        type=raw["type"],
        fields=raw["fields"],
        attributes={name: tuple(values) for name, values in raw.get("attributes", {}).items()},
        numbers=raw.get("numbers", {}),
        dates=raw.get("dates", {}),
        images=tuple(raw.get("images", ())),
        relations={name: tuple(ids) for name, ids in raw.get("relations", {}).items()},
        reviews=tuple(Review(**review) for review in raw.get("reviews", ())),
        questions=tuple(Question(asked["text"], tuple(asked["answers"])) for asked in raw.get("questions", ())),
    )

"""Carries every change of the catalogue to all that is derived from it: arms, features and the table of items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from threading import Lock

from core.catalogue import Catalogue
from core.protocols import Indexed
from core.types import Item, ItemId

_BATCH = 2_000
Progress = Callable[[int], object]


class ItemTable(dict[ItemId, Item]):
    """All items by id, for the union and for answers."""

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        for item_id in deletes:
            self.pop(item_id, None)
        self.update((item.id, item) for item in upserts)


class Indexer:
    """Follows the catalogue. Followers are told in order, so the slow ones (the encoder) come last."""

    def __init__(self, catalogue: Catalogue, followers: Sequence[Indexed]) -> None:
        self._catalogue = catalogue
        self._followers = followers
        self._lock = Lock()
        self.sequence = 0

    def catch_up(self, progress: Progress = lambda _: None) -> None:
        """Apply what has changed since the last time; `progress` is told how many changes are done."""
        with self._lock:
            while (changes := self._catalogue.changes(self.sequence, _BATCH)).sequence > self.sequence:
                for follower in self._followers:
                    follower.apply(changes.upserts, changes.deletes)
                self.sequence = changes.sequence
                progress(len(changes.upserts) + len(changes.deletes))

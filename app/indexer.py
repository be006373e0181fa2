"""Carries every change of the catalogue to all that is derived from it: arms, features and the table of items."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock

from app.checkpoints import Checkpoint, Checkpoints
from core.catalogue import Catalogue, item_from_json, item_to_json
from core.protocols import Indexed
from core.table import Table
from core.types import Item, ItemId

log = logging.getLogger(__name__)

_BATCH = 2_000
# A checkpoint is due when this share of the catalogue has changed since the last one. It waits until nothing has
# changed for so long, because changes wait while the indexes are written, or until half of the catalogue has changed.
_DUE_SHARE = 0.05
_QUIET_S = 5.0
_OVERDUE_SHARE = 0.5
Progress = Callable[[int], object]


class ItemTable(Table[Item]):
    """All items by id: for filters, for the union, and for answers."""

    def __init__(self) -> None:
        super().__init__(lambda item: item_to_json(item).encode(), item_from_json)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self.change({item.id: item for item in upserts}, deletes)


class Indexer:
    """Follows the catalogue, tells the followers, and puts all they have derived on disk from time to time."""

    def __init__(
        self, catalogue: Catalogue, items: ItemTable, followers: Mapping[str, Indexed], checkpoints: Checkpoints
    ) -> None:
        """`items` is one of the followers, which are told in their order."""
        self._catalogue = catalogue
        self._items = items
        self._followers = followers
        self._checkpoints = checkpoints
        self._lock = Lock()
        self._unsaved = 0
        self._changed_at = 0.0
        self.sequence = 0

    def restore(self) -> None:
        """Start from the newest checkpoint; without one that can be read `catch_up` begins at the beginning."""
        checkpoint = self._checkpoints.newest()
        if checkpoint is None:
            return
        # The table first: the others may look into it.
        names = sorted(self._followers, key=lambda name: self._followers[name] is not self._items)
        with self._lock:
            if all(self._restored(name, checkpoint) for name in names):
                self.sequence = checkpoint.sequence

    def catch_up(self, progress: Progress = lambda _: None) -> None:
        """Apply what has changed since the last time; `progress` is told how many changes are done."""
        with self._lock:
            while (changes := self._catalogue.changes(self.sequence, _BATCH)).sequence > self.sequence:
                for follower in self._followers.values():
                    follower.apply(changes.upserts, changes.deletes)
                self.sequence = changes.sequence
                count = len(changes.upserts) + len(changes.deletes)
                self._unsaved += count
                self._changed_at = time.monotonic()
                progress(count)

    def save(self, *, now: bool = False) -> None:
        """Write a checkpoint if one is due; `now`: also while the catalogue is changing."""
        share = self._unsaved / max(len(self._items), 1)
        quiet = now or time.monotonic() - self._changed_at > _QUIET_S
        if share < _DUE_SHARE or not (quiet or share > _OVERDUE_SHARE):
            return
        self._unsaved = 0  # what fails is not tried again at once, but when it is due again
        folder = self._checkpoints.begin()
        try:
            with self._lock:
                for name, follower in self._followers.items():
                    (folder / name).mkdir()
                    follower.save(folder / name)
                sequence = self.sequence
            self._checkpoints.commit(folder, sequence)
        except BaseException:
            self._checkpoints.discard(folder)
            raise

    def _restored(self, name: str, checkpoint: Checkpoint) -> bool:
        try:
            self._followers[name].restore(checkpoint.folder / name)
        except Exception:  # whatever is wrong with the files: the catalogue has it all
            log.exception("the saved index of %s cannot be read; all are made anew", name)
            return False
        return True

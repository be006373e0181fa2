"""Carries every change of the catalogue to all that is derived from it: arms, features and the table of items."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from threading import Condition, Lock
from typing import NamedTuple

from app.indexing.checkpoints import Checkpoint, Checkpoints
from core.catalogue import (
    Catalogue,
    Changes,
    Copied,
    Indexed,
    Prepared,
    Repriced,
    Selective,
    item_from_json,
    item_to_json,
    same_words,
)
from core.pace import stand_back, unhurried
from core.table import Table
from core.types import Item, ItemId

log = logging.getLogger(__name__)

_BATCH = 2_000
# A checkpoint is due when this share of the catalogue has changed since the last one. It waits until nothing has
# changed for so long, because changes wait for the copies that it makes and for the processor that it takes, or until
# half of the catalogue has changed.
_DUE_SHARE = 0.05
_QUIET_S = 5.0
_OVERDUE_SHARE = 0.5
_FAR = 20_000  # changes, some ten seconds of work
# While several writers are at it, changes are applied at most so often, and a round waits a moment for those of the
# round before, who all were answered at once and are about to come back: what an arm pays per time it is told, and not
# per item (a commit of the lexical index above all), is then paid for all of them together.
_GATHERED_S, _MOMENT_S = 0.25, 0.1
Progress = Callable[[int], object]


class ItemTable(Table[Item]):
    """All items by id: for filters, for the union, and for answers."""

    def __init__(self) -> None:
        super().__init__(lambda item: item_to_json(item).encode(), item_from_json)

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        self.change({item.id: item for item in upserts}, deletes)


class Told(NamedTuple):
    """What a follower has to be told of: items, and others of which only figures are new."""

    follower: Indexed
    upserts: Sequence[Item]
    repriced: Sequence[Item] = ()


class Indexer:
    """Follows the catalogue, tells the followers, and puts all they have derived on disk from time to time."""

    def __init__(
        self,
        catalogue: Catalogue,
        items: ItemTable,
        followers: Mapping[str, Indexed],
        checkpoints: Checkpoints,
        *,
        beside: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """`items` is one of the followers, which are told in their order. `beside`: see app.search.gaps, how this
        is done while people search."""
        self._catalogue = catalogue
        self._items = items
        self._followers = followers
        self._checkpoints = checkpoints
        self._beside = beside
        self._lock = Lock()
        turn = Lock()  # for the four below
        self._turn, self._arrived = Condition(turn), Condition(turn)
        self._writers = 0  # that wait
        self._led = False  # one of them applies what all have changed
        self._before = 0  # of them at the last round
        self._started_at = 0.0
        self._unsure: set[ItemId] = set()  # what is being applied, or was when a follower failed
        self._unsaved = 0
        self._changed_at = 0.0
        self.sequence = 0

    @property
    def behind(self) -> int:
        """How many changes there are since the newest checkpoint."""
        checkpoint = self._checkpoints.newest()
        return self._catalogue.sequence() - (checkpoint.sequence if checkpoint else 0)

    @property
    def far_behind(self) -> bool:
        """Whether these are so many that whoever starts from it has long to work, and saves a new one."""
        return self.behind > max(_FAR, _DUE_SHARE * len(self._catalogue))

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
            else:  # the table may hold items that others were not told of
                self._unsure |= self._items.keys()

    def catch_up(self, progress: Progress = lambda _: None, *, until: float = math.inf) -> None:
        """Apply what has changed since the last time; `progress` is told how many changes are done.

        Ends when nothing is left, or, while others go on changing the catalogue, when the number `until` is reached.
        """
        with self._lock, self._beside():
            while self.sequence < until:
                changes = self._catalogue.changes(self.sequence, _BATCH)
                if changes.sequence == self.sequence:
                    return
                self._apply(changes)
                self.sequence = changes.sequence
                count = len(changes.upserts) + len(changes.deletes)
                self._unsaved += count
                self._changed_at = time.monotonic()
                progress(count)

    def reach(self, sequence: int) -> None:
        """Return when every change up to `sequence` is applied.

        A lone writer is served at once. Of several, one applies what all of them have changed, and the others wait.
        """
        with self._arrived:
            self._writers += 1
            self._arrived.notify()
        try:
            while not self._reached_or_leads(sequence):
                self._lead(sequence)
        finally:
            with self._turn:
                self._writers -= 1

    def follow(self) -> None:
        """Apply what others have changed by now, but for when a writer of this process leads: its round has that too.

        Two who took turns would apply little at a time, which costs the most, and one of them might never be done.
        """
        with self._turn:
            if self._led:
                return
        self.reach(self._catalogue.sequence())

    def save(self, *, now: bool = False) -> None:
        """Write a checkpoint if one is due; `now`: also while the catalogue is changing."""
        share = self._unsaved / max(len(self._items), 1)
        quiet = now or time.monotonic() - self._changed_at > _QUIET_S
        if self._unsure or share < _DUE_SHARE or not (quiet or share > _OVERDUE_SHARE):
            return
        self._unsaved = 0  # what fails is not tried again at once, but when it is due again
        folder = self._checkpoints.begin()
        try:
            with self._lock:
                copies = [self._saved(follower, folder / name) for name, follower in self._followers.items()]
                sequence = self.sequence
            with self._beside():
                for write in copies:
                    write()
            self._checkpoints.commit(folder, sequence)
        except BaseException:
            self._checkpoints.discard(folder)
            raise

    def _apply(self, changes: Changes) -> None:
        """Tell all followers. When one fails, nobody knows who holds what, and all are told all of it next time."""
        changed = {*(item.id for item in changes.upserts), *changes.deletes}
        before = {item_id: self._items[item_id] for item_id in changed - self._unsure if item_id in self._items}
        self._unsure |= changed
        same = {new.id for new in unhurried(changes.upserts) if new.id in before and same_words(before[new.id], new)}
        self._tell([told_of(each, changes.upserts, before, same) for each in self._followers.values()], changes.deletes)
        self._unsure -= changed

    def _tell(self, told: Sequence[Told], deletes: Collection[ItemId]) -> None:
        """One follower after the other; what takes long to work out is begun at once, beside those before."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare", initializer=stand_back) as pool:
            begun = [
                pool.submit(self._prepare, follower, upserts) if upserts and isinstance(follower, Prepared) else None
                for follower, upserts, _ in told
            ]
            for each, prepared in zip(told, begun, strict=True):
                if prepared:
                    prepared.result()
                tell(each, deletes)

    def _prepare(self, follower: Prepared, upserts: Sequence[Item]) -> None:
        with self._beside():
            follower.prepare(upserts)

    def _reached_or_leads(self, sequence: int) -> bool:
        """Whether it is applied, by another writer perhaps; when it is not, the turn of the caller has come."""
        with self._turn:
            self._turn.wait_for(lambda: self.sequence >= sequence or not self._led)
            reached = self.sequence >= sequence
            self._led = self._led or not reached
            return reached

    def _lead(self, sequence: int) -> None:
        """One round for all who wait. When it fails, the next writer tries in its turn, and meets the error itself."""
        try:
            if self._before > 1:
                self._gather()
            self._before, self._started_at = self._writers, time.monotonic()
            self.catch_up(until=sequence)
        finally:
            with self._turn:
                self._led = False
                self._turn.notify_all()

    def _gather(self) -> None:
        with self._arrived:
            self._arrived.wait_for(lambda: self._writers >= self._before, timeout=_MOMENT_S)
        time.sleep(max(0.0, self._started_at + _GATHERED_S - time.monotonic()))

    def _saved(self, follower: Indexed, folder: Path) -> Callable[[], None]:
        """Save it, or copy it; changes wait for that, and not for the rest, which is returned."""
        folder.mkdir()
        if isinstance(follower, Copied):
            return partial(follower.saving(), folder)
        follower.save(folder)
        return lambda: None

    def _restored(self, name: str, checkpoint: Checkpoint) -> bool:
        try:
            self._followers[name].restore(checkpoint.folder / name)
        except Exception:  # whatever is wrong with the files: the catalogue has it all
            log.exception("the saved index of %s cannot be read; all are made anew", name)
            return False
        return True


def tell(told: Told, deletes: Collection[ItemId]) -> None:
    """What there is to tell."""
    if told.repriced and isinstance(told.follower, Repriced):
        told.follower.reprice(told.repriced)
    if told.upserts or deletes:
        told.follower.apply(told.upserts, deletes)


def told_of(
    follower: Indexed, upserts: Sequence[Item], before: Mapping[ItemId, Item], same: Collection[ItemId]
) -> Told:
    """`before`: what it holds, as far as that is known; `same`: those of them that say what they said."""
    if isinstance(follower, Selective):
        return Told(
            follower,
            [
                new
                for new in unhurried(upserts)
                if (old := before.get(new.id)) is None or not follower.reads_the_same(old, new)
            ],
        )
    if not isinstance(follower, Repriced):
        return Told(follower, upserts)
    changed = [new for new in upserts if new.id not in same]
    return Told(follower, changed, [new for new in upserts if new.id in same])

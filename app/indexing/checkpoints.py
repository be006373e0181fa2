"""Saved indexes in a folder: each is written whole before it gets its name, so that a kill leaves old ones or new ones.

What is saved can be made again from the catalogue: damage costs time, never data.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

_ABANDONED_S = 3_600.0
_KEPT = 2  # the newest, and the one that another process may just be reading


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of all indexes after the catalogue's change number `sequence`."""

    sequence: int
    folder: Path


class Checkpoints:
    """Folders called `<version>-<sequence>`. `version` names all that a saved index depends on but the catalogue."""

    def __init__(self, root: Path, version: str) -> None:
        self._root = root
        self._version = version
        root.mkdir(parents=True, exist_ok=True)

    def newest(self) -> Checkpoint | None:
        """The one to start from; None when there is none of this version."""
        return max(self._all(f"{self._version}-*"), key=lambda each: each.sequence, default=None)

    def begin(self) -> Path:
        """An empty folder to write to. What a process left unfinished long ago goes."""
        for folder in self._root.glob("partial-*"):
            if folder.stat().st_mtime < time.time() - _ABANDONED_S:
                self.discard(folder)
        return Path(tempfile.mkdtemp(prefix="partial-", dir=self._root))

    def commit(self, folder: Path, sequence: int) -> None:
        """Make what was written to `folder` the newest, once it is durable; older ones go."""
        _sync(folder)
        target = self._root / f"{self._version}-{sequence}"
        try:
            folder.rename(target)
        except OSError:  # another process was quicker with the same
            self.discard(folder)
        newest_first = sorted(self._all("*-*"), key=lambda each: -each.folder.stat().st_mtime_ns)
        for old in newest_first[_KEPT:]:
            self.discard(old.folder)

    def discard(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    def _all(self, pattern: str) -> list[Checkpoint]:
        named = ((path.name.rpartition("-")[2], path) for path in self._root.glob(pattern))
        return [Checkpoint(int(number), path) for number, path in named if number.isdecimal()]


def _sync(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Exactly one learner leads: the others wait, and one of them takes over when it is gone."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Protocol


class Leader(Protocol):
    """A claim to be the one. The system itself gives it up when the process dies."""

    def lead(self) -> bool:
        """Whether this process leads from now on. False while another does, or while nobody can tell."""
        ...

    def leads(self) -> bool:
        """Whether it still does."""
        ...

    def close(self) -> None:
        """Lead no more."""
        ...


class FileLeader:
    """Among the processes that share a folder: a lock on a file in it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w")
        self._locked = False

    def lead(self) -> bool:
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._locked = True
        return True

    def leads(self) -> bool:
        return self._locked

    def close(self) -> None:
        self._locked = False
        self._file.close()

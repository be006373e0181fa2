"""Small files with secrets: readable by their owner alone, and never half written."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedback.durable_file import replace


def replace_private(path: Path, data: bytes) -> None:
    """The file has the old content or the new one, also after a power cut; mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, data, mode=0o600)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time reads, changes and replaces the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

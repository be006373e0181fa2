"""How much room what is durable takes."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

_KEPT_S = 15.0
PARTS = {
    "events": "events.sqlite*",
    "catalogue": "catalogue.sqlite*",
    "judgments": "quality.sqlite*",
    "models": "models/**/*",
    "indexes": "indexes/**/*",
    "caches": "cache/**/*",
}


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes per part of the data directory, and what is free beside it."""

    parts: dict[str, int]
    free: int


@dataclass(slots=True)
class Storage:
    """Looked at again after 15 s at the earliest."""

    data_dir: Path
    _lock: Lock = field(init=False, default_factory=Lock)
    _found: Room | None = field(init=False, default=None)
    _due: float = field(init=False, default=0.0)

    def now(self) -> Room:
        with self._lock:
            if self._found is None or time.monotonic() >= self._due:
                parts = {name: _bytes(self.data_dir, pattern) for name, pattern in PARTS.items()}
                self._found = Room(parts, shutil.disk_usage(self.data_dir).free)
                self._due = time.monotonic() + _KEPT_S
            return self._found


def _bytes(folder: Path, pattern: str) -> int:
    total = 0
    for path in folder.glob(pattern):
        try:
            if path.is_file():
                total += path.stat().st_size
        except FileNotFoundError:  # removed meanwhile
            continue
    return total

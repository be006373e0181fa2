"""Model releases as files: content-addressed objects, a manifest per release, a pointer that is replaced atomically.

A reader sees the old release or the new one. A kill at any point leaves at worst objects and temporary files that
nothing points to; they are ignored, and removed by the next `collect`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.errors import BowerbirdError, Conflict, Unavailable
from core.protocols import ModelRegistry, Release
from feedback.durable_file import replace
from feedback.releases import digest_of, no_such_release, whole

log = logging.getLogger(__name__)


class FileRegistry:
    """objects/<sha256>, releases/<number>.json, CURRENT."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "objects"
        self._releases = root / "releases"
        self._pointer = root / "CURRENT"
        self._lock = root / "lock"
        for folder in (self._objects, self._releases):
            folder.mkdir(parents=True, exist_ok=True)

    def publish(
        self, components: Mapping[str, bytes], *, notes: Mapping[str, str] | None = None, onto: Release | None = None
    ) -> Release:
        with self._publishing():
            current = self.current()
            if onto is not None and (current is None or current.number != onto.number):
                now = f"release {current.number}" if current else "none"
                raise Conflict("release_moved_on", f"Release {onto.number} is not current: {now} is.", "Try again.")
            hashes = {name: self._store(data) for name, data in components.items()}
            release = Release(
                number=max(self._numbers(), default=0) + 1,
                created=time.time(),
                components={**(current.components if current else {}), **hashes},
                notes=dict(notes or {}),
            )
            manifest = {"created": release.created, "components": release.components, "notes": release.notes}
            replace(self._manifest(release.number), json.dumps(manifest).encode())
            replace(self._pointer, str(release.number).encode())
            return release

    def current(self) -> Release | None:
        try:
            return self._read(int(self._pointer.read_text()))
        except FileNotFoundError:
            return None

    def load(self, release: Release, component: str) -> bytes:
        path = self._objects / digest_of(release, component)
        return whole(path.read_bytes() if path.is_file() else b"", release, component)

    def releases(self) -> list[Release]:
        return [self._read(number) for number in sorted(self._numbers())]

    def activate(self, number: int) -> Release:
        with self._publishing():
            if number not in (numbers := sorted(self._numbers())):
                raise no_such_release(number, numbers)
            replace(self._pointer, str(number).encode())
            return self._read(number)

    def collect(self, *, keep: int) -> int:
        with self._publishing():
            current = self.current()
            kept = set(sorted(self._numbers())[-keep:]) | ({current.number} if current else set())
            for number in set(self._numbers()) - kept:
                self._manifest(number).unlink()
            needed = {digest for release in self.releases() for digest in release.components.values()}
            unneeded = [path for path in self._objects.iterdir() if path.name not in needed]
            for path in unneeded:
                path.unlink()
            return len(unneeded)

    def copy_to(self, root: Path) -> None:
        """All releases, whole, into a new folder; who publishes waits meanwhile."""
        with self._publishing():
            shutil.copytree(self._objects, root / "objects", ignore=_unfinished)
            shutil.copytree(self._releases, root / "releases", ignore=_unfinished)
            if self._pointer.is_file():
                shutil.copyfile(self._pointer, root / "CURRENT")

    def _store(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if not (self._objects / digest).is_file():
            replace(self._objects / digest, data)
        return digest

    def _read(self, number: int) -> Release:
        raw = json.loads(self._manifest(number).read_bytes())
        return Release(number, raw["created"], raw["components"], raw["notes"])

    def _manifest(self, number: int) -> Path:
        return self._releases / f"{number:08}.json"

    def _numbers(self) -> list[int]:
        return [int(path.stem) for path in self._releases.glob("*.json")]

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        """One publisher at a time, across processes."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


_unfinished = shutil.ignore_patterns("*.partial")


def usable(registry: ModelRegistry, release: Release | None, name: str) -> bytes | None:
    """The component's bytes; None when there is none, or when it is damaged, which is logged and served without.

    Unavailable when the registry cannot say: what served before goes on serving.
    """
    if release is None or name not in release.components:
        return None
    try:
        return registry.load(release, name)
    except Unavailable:
        raise
    except BowerbirdError:
        log.exception("component %s of release %d cannot be used", name, release.number)
        return None

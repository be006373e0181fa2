"""The folder in which a tantivy index lives while its process does: links to the files of a saved one, and new ones."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path

_PREFIX, _LOCK, _META = "live-", "in-use", "meta.json"
_TRIES = 10


class LiveFolder:
    """A folder of its own, removed when it is no longer used. What a killed process has left is removed as well."""

    def __init__(self, root: Path | None) -> None:
        """Below `root`, or where the system keeps temporary files."""
        if root is not None:
            root.mkdir(parents=True, exist_ok=True)
            _sweep(root)
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        lock = _locked(self._folder)
        self.close = weakref.finalize(self, _remove, self._folder, lock)
        self.new = self._folder / "new"
        self.new.mkdir()

    def restored(self, source: Path) -> Path:
        """A new folder with what `save_index` has linked to `source`; FileNotFoundError when that is nothing."""
        if not (source / _META).is_file():
            raise FileNotFoundError(f"{source} holds no index.")
        target = Path(tempfile.mkdtemp(prefix="restored-", dir=self._folder))
        _link(source.iterdir(), target)
        names = sorted(file.name for file in source.iterdir())
        (target / ".managed.json").write_text(json.dumps(names))  # what tantivy may remove one day
        return target


def save_index(index: Path, target: Path) -> None:
    """Link what the index's last commit consists of to this empty folder.

    Segments never change, but a merge may put others in their place meanwhile, and remove them: then once more.
    """
    for _ in range(_TRIES):
        meta = (index / _META).read_bytes()
        segments = {segment["segment_id"].replace("-", "") for segment in json.loads(meta)["segments"]}
        try:
            _link([file for file in index.iterdir() if file.name.partition(".")[0] in segments], target)
        except FileNotFoundError:
            continue
        if meta == (index / _META).read_bytes():
            (target / _META).write_bytes(meta)
            return
    raise RuntimeError(f"the index in {index} changed {_TRIES} times while it was saved")


def _link(files: Iterable[Path], folder: Path) -> None:
    """By hard links where the file system can. What is there stays."""
    for file in files:
        try:
            os.link(file, folder / file.name)
        except FileExistsError:
            continue
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(file, folder / file.name)


def _sweep(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        try:
            lock = _locked(folder)
        except OSError:  # somebody uses it, or has just removed it
            continue
        _remove(folder, lock)


def _locked(folder: Path) -> int:
    """The handle of the folder's lock; BlockingIOError when somebody holds it."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)

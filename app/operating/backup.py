"""A copy of all that cannot be made again: catalogue, events, judgments, models and the configuration.

The newest saved index comes along: it could be made again, but equal scores might then come in another order. All is
taken while everything goes on: each SQLite file as of one moment, models under the lock of who publishes. It goes back
into an empty data directory only, and only when every file is as it was written.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.settings import Settings
from core.errors import InvalidInput
from feedback.registry import FileRegistry

_FORMAT = 1
_MANIFEST, _CONFIG, _MODELS = "manifest.json", "config.toml", "models"
_INDEXES = "indexes"
_SECRETS = ("keys.json", "user-ids.secret")  # where there are any; without them nobody would be known any more
_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Backup:
    """What a copy holds: its `files` with their SHA-256, when it was made, and the hash of the settings then."""

    created: float
    config: str
    files: dict[str, str]


def export(settings: Settings, config: Path | None, target: Path) -> Backup:
    """To a new folder, or to a new file when the name ends in `.tar`. `config` is the configuration's file.

    Whoever looks sees the whole copy or none. InvalidInput when there is something at `target`.
    """
    if settings.database.used:
        message = "What is durable is in PostgreSQL, which an export does not copy."
        raise InvalidInput("backup_of_database", message, "Use pg_dump; see docs/how-to/use-postgresql.md.")
    if target.exists():
        raise InvalidInput("backup_exists", f"{target} is there already.", "Name a new folder or file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as made:
        folder = Path(made) / "backup"
        folder.mkdir(mode=0o700)  # what people searched is nobody else's
        backup = _copied(settings, config, folder)
        if target.suffix == ".tar":
            packed = Path(made) / "backup.tar"
            with tarfile.open(packed, "w") as tar:
                tar.add(folder, arcname=".")
            packed.chmod(0o600)
            _sync(packed)
            packed.replace(target)
        else:
            folder.replace(target)
    _sync(target.parent)
    return backup


def restore(source: Path, data_dir: Path) -> Backup:
    """Into `data_dir`, which must hold no catalogue, events or models; caches may be there.

    InvalidInput for what is no such copy, or not whole; nothing is written then. The configuration's file becomes
    `config.toml` of the data directory, for `--config`.
    """
    known = (*data_dir.glob("*.sqlite"), data_dir / _MODELS, *(data_dir / name for name in _SECRETS))
    taken = [path.name for path in known if path.exists()]
    if taken:
        message = f"{data_dir} holds {', '.join(sorted(taken))} already."
        raise InvalidInput("data_dir_in_use", message, "Name another one with --data-dir, or move these away.")
    with _opened(source, data_dir) as folder:
        backup = _checked(folder, source)
        for name in backup.files:
            target = data_dir / name
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.partial")
            shutil.copy(folder / name, partial)
            _sync(partial)
            partial.replace(target)
        for parent in {(data_dir / name).parent for name in backup.files}:
            _sync(parent)
    return backup


def _copied(settings: Settings, config: Path | None, folder: Path) -> Backup:
    for path in sorted(settings.data_dir.glob("*.sqlite")):
        _copy_database(path, folder / path.name)
    if (settings.data_dir / _MODELS).is_dir():
        FileRegistry(settings.data_dir / _MODELS).copy_to(folder / _MODELS)
    _copy_newest_index(settings.data_dir / _INDEXES, folder / _INDEXES)
    kept = {name: settings.data_dir / name for name in _SECRETS} | ({_CONFIG: config} if config else {})
    for name, path in kept.items():
        if path.is_file():
            shutil.copy(path, folder / name)
    files = {str(path.relative_to(folder)): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    backup = Backup(time.time(), settings.hash, files)
    manifest = {"format": _FORMAT, "created": backup.created, "config": backup.config, "files": files}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)
    return backup


def _copy_newest_index(source: Path, target: Path) -> None:
    """None is no loss, nor is one that is replaced just now: the next start makes indexes from the catalogue."""
    saved = [path for path in source.glob("*-*") if path.name.rpartition("-")[2].isdecimal()]
    try:
        for newest in sorted(saved, key=lambda path: path.stat().st_mtime_ns)[-1:]:
            shutil.copytree(newest, target / newest.name)
    except (FileNotFoundError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)


def _copy_database(source: Path, target: Path) -> None:
    """As of one moment, whoever writes meanwhile."""
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")  # one file, without a write-ahead log beside it


@contextmanager
def _opened(source: Path, data_dir: Path) -> Iterator[Path]:
    """The folder of the copy; a `.tar` is unpacked for the time being, next to where it goes."""
    if source.is_dir():
        yield source
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data_dir) as made:
        try:
            with tarfile.open(source, "r:") as tar:
                tar.extractall(made, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise _no_backup(source, str(error)) from None
        yield Path(made)


def _checked(folder: Path, source: Path) -> Backup:
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        backup = Backup(manifest["created"], manifest["config"], manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        raise _no_backup(source, f"it has no readable {_MANIFEST}") from None
    if manifest.get("format") != _FORMAT:
        raise _no_backup(source, f"its format is {manifest.get('format')!r}, this Bowerbird knows {_FORMAT}")
    for name, digest in backup.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise _no_backup(source, f"{name!r} leads out of it")
        if not path.is_file() or _digest(path) != digest:
            raise _no_backup(source, f"{name!r} is missing or damaged")
    return backup


def _no_backup(source: Path, why: str) -> InvalidInput:
    message = f"{source} cannot be restored: {why}."
    return InvalidInput("no_backup", message, "Name what `bowerbird export` wrote; nothing was changed.")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

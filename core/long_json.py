"""JSON of long lists, a portion at a time: searches wait while one call writes all of a million ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from core.pace import unhurried

_PORTION = 5_000


def write_list(path: Path, values: Sequence[Any]) -> None:
    """An array."""
    with path.open("wb") as file:
        file.writelines(unhurried(_parts(values)))


def write_lists(path: Path, lists: Mapping[str, Sequence[Any]]) -> None:
    """An object whose values are lists."""
    with path.open("wb") as file:
        before = b"{"
        for name, values in lists.items():
            file.write(before + orjson.dumps(name) + b":")
            file.writelines(unhurried(_parts(values)))
            before = b","
        file.write(b"}" if lists else b"{}")


def _parts(values: Sequence[Any]) -> Iterator[bytes]:
    before = b"["
    for start in range(0, len(values), _PORTION):
        yield before + orjson.dumps(values[start : start + _PORTION])[1:-1]
        before = b","
    yield b"]" if len(values) else b"[]"

"""JSON of long lists and mappings, a portion at a time: searches wait while one call writes all of a million ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from core.pace import unhurried

_PORTION = 5_000


def write_list(path: Path, values: Sequence[Any]) -> None:
    """An array."""
    with path.open("wb") as file:
        file.writelines(unhurried(array_parts(values)))


def write_lists(path: Path, lists: Mapping[str, Sequence[Any]]) -> None:
    """An object whose values are lists."""
    with path.open("wb") as file:
        file.writelines(unhurried(object_parts({name: array_parts(values) for name, values in lists.items()})))


def array_parts(values: Iterable[Any]) -> Iterator[bytes]:
    """An array, every value whole."""
    left = iter(values)
    return _parts(iter(lambda: orjson.dumps([*islice(left, _PORTION)]), b"[]"), b"[", b"]")


def mapping_parts(values: Mapping[str, Any]) -> Iterator[bytes]:
    """An object, every value whole. The mapping must not change meanwhile."""
    left = iter(values.items())
    return _parts(iter(lambda: orjson.dumps(dict(islice(left, _PORTION))), b"{}"), b"{", b"}")


def object_parts(values: Mapping[str, Iterable[bytes]]) -> Iterator[bytes]:
    """An object whose values are in parts themselves."""
    before = b"{"
    for name, parts in values.items():
        yield before + orjson.dumps(name) + b":"
        yield from parts
        before = b","
    yield b"}" if values else b"{}"


def _parts(portions: Iterable[bytes], opening: bytes, closing: bytes) -> Iterator[bytes]:
    before = opening
    for portion in portions:
        yield before + portion[1:-1]
        before = b","
    yield closing if before == b"," else opening + closing

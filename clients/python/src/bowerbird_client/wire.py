"""Dataclasses to and from JSON. A field whose JSON key differs from its name says so in its metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from bowerbird_client.errors import BadAnswer

T = TypeVar("T")


def keyed(key: str, **options: Any) -> Any:
    """A dataclass field with this key in JSON, where its own name would be a keyword."""
    return field(metadata={"key": key}, **options)


def key_of(of: Field[Any]) -> str:
    key: str = of.metadata.get("key", of.name)
    return key


def encode(value: Any) -> Any:
    """What `json.dumps` takes. Fields that are None are left out."""
    if is_dataclass(value):
        parts = ((key_of(each), getattr(value, each.name)) for each in fields(value))
        return {key: encode(part) for key, part in parts if part is not None}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: encode(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(part) for part in value]
    return value


def dumped(value: Any) -> bytes:
    """JSON. ValueError for what JSON has no form of, such as nan."""
    return json.dumps(encode(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def decode(kind: type[T], raw: Any) -> T:
    """The answer as a dataclass. Keys that it does not know are left out; BadAnswer where one that it needs is not."""
    try:
        made: T = _reader(cast(Any, kind))(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(f"The answer is no {kind.__name__}: {type(error).__name__} {error}.") from error
    return made


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _of_dataclass(kind)
    if origin is tuple:
        read = _reader(inner[0])
        return lambda raw: tuple(read(each) for each in raw)
    if origin is dict:
        read = _reader(inner[1])
        return lambda raw: {key: read(each) for key, each in raw.items()}
    if inner:
        return _of_union(inner)
    return datetime.fromisoformat if kind is datetime else lambda raw: raw


def _of_dataclass(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    parts = [(each.name, key_of(each), _reader(hints[each.name]), _has_default(each)) for each in fields(kind)]

    def read(raw: Any) -> Any:
        return kind(**{name: of(raw[key]) for name, key, of, optional in parts if key in raw or not optional})

    return read


def _has_default(each: Field[Any]) -> bool:
    return each.default is not MISSING or each.default_factory is not MISSING


def _of_union(kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Of at most one kind that is written as an array, and one that is not."""
    reads = {get_origin(kind) is tuple: _reader(kind) for kind in kinds if kind is not NoneType}
    return lambda raw: None if raw is None else reads[isinstance(raw, list)](raw)

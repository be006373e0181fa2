"""Reads a catalogue file (NDJSON or CSV, also .gz), maps its columns to items, and reports every bad row."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import tomllib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from app.schemas.items import ItemBody
from app.web.bodies import sentences
from core.errors import InvalidConfig, InvalidInput
from core.types import Item


class Mapped(BaseModel):
    """How columns become an item. Without a mapping, rows have the shape of an item already."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    type: str = "item"  # the same for all rows, unless there is a type_column
    type_column: str | None = None
    fields: dict[str, str]
    attributes: dict[str, str] = {}
    numbers: dict[str, str] = {}
    scale: dict[str, float] = {}  # number -> factor, for prices in cents
    years: dict[str, str] = {}  # number -> column that starts with a four-digit year
    separators: dict[str, str] = {}  # attribute -> what stands between its values in one column
    dates: dict[str, str] = {}
    images: list[str] = []  # columns
    attribute_prefix: str | None = None  # every column with this prefix is an attribute, named by the rest
    number_prefix: str | None = None

    @property
    def columns(self) -> set[str]:
        """Those that are read by their names."""
        by_name = (self.fields, self.attributes, self.numbers, self.years, self.dates)
        named = {column for columns in by_name for column in columns.values()}
        return {self.id, *named, *self.images, *([self.type_column] if self.type_column else [])}

    def unmapped(self, seen: set[str]) -> set[str]:
        """The columns that become nothing."""
        prefixes = tuple(prefix for prefix in (self.attribute_prefix, self.number_prefix) if prefix)
        return {column for column in seen - self.columns if not column.startswith(prefixes)}

    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row in the shape of ItemBody; empty columns are left out."""
        attributes = {
            name: _strings(row.get(column), self.separators.get(name)) for name, column in self.attributes.items()
        }
        numbers = {name: _number(name, row.get(column)) for name, column in self.numbers.items()}
        numbers |= {name: _year(row.get(column)) for name, column in self.years.items()}
        if prefix := self.attribute_prefix:
            attributes |= {k.removeprefix(prefix): _strings(v) for k, v in row.items() if k.startswith(prefix)}
        if prefix := self.number_prefix:
            numbers |= {k.removeprefix(prefix): _number(k, v) for k, v in row.items() if k.startswith(prefix)}
        fields = {name: _string(row.get(column)) for name, column in self.fields.items()}
        return {
            "id": _string(row.get(self.id)),
            "type": _string(row.get(self.type_column)) or self.type if self.type_column else self.type,
            "fields": {name: text for name, text in fields.items() if text},
            "attributes": {name: values for name, values in attributes.items() if values},
            "numbers": {
                name: value * self.scale.get(name, 1.0) for name, value in numbers.items() if value is not None
            },
            "dates": {name: text for name, column in self.dates.items() if (text := _string(row.get(column)))},
            "images": [address for column in self.images for address in _strings(row.get(column))],
        }


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reason: str


def read_mapping(path: Path) -> Mapped:
    """InvalidConfig names the key that is wrong."""
    try:
        mapped = Mapped.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InvalidConfig(
            "mapping_unreadable", f"Cannot read {path}: {error.strerror}.", "Check --mapping."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig("mapping_syntax", f"{path} is not TOML: {error}.", "Correct that line.") from None
    except ValidationError as error:
        remedy = f"Allowed keys: {', '.join(sorted(Mapped.model_fields))}."
        raise InvalidConfig("bad_mapping", f"{path}: {sentences(error.errors())}", remedy) from None
    _check(path, "scale", mapped.scale, [*mapped.numbers, *mapped.years])
    _check(path, "separators", mapped.separators, [*mapped.attributes])
    return mapped


def _check(path: Path, key: str, names: Iterable[str], of: Sequence[str]) -> None:
    for name in names:
        if name not in of:
            message = f"{path}: {key} names {name!r}, which is not mapped; mapped are: {_listed(of)}."
            raise InvalidConfig("bad_mapping", message, "Name one of these.")


def read_items(path: Path, mapping: Mapped | None, seen: set[str] | None = None) -> Iterator[Item | BadRow]:
    """Every row of the file as an item, or as a line number with the reason; a row is never half an item.

    `seen` gets the columns that there are. InvalidInput when a table has no column for the id: no row would be good.
    """
    for line, row in _rows(path):
        if isinstance(row, BadRow):
            yield row
            continue
        if seen is not None:
            seen.update(row)
        if mapping and mapping.id not in row:
            problem = f"no column {mapping.id!r}, which is mapped to the id; there are: {_listed(row)}"
            if _is_table(path):
                raise InvalidInput("no_id_column", f"{path} has {problem}.", "Correct `id` in the mapping.")
            yield BadRow(line, problem)
            continue
        try:
            yield ItemBody.model_validate(mapping.body(row) if mapping else row).item()
        except ValidationError as error:
            yield BadRow(line, sentences(error.errors()))
        except ValueError as error:
            yield BadRow(line, str(error))


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    if not path.exists():  # a pipe is welcome
        raise InvalidInput("unreadable_file", f"There is no file {path}.", "Check the path.")
    try:
        yield from _lines(path)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, f"cannot be read to its end: {error}", "Fetch or pack it again") from None
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"is not UTF-8: {error}", "Convert it, for example with iconv") from None
    except csv.Error as error:
        raise _unreadable(path, f"is not CSV: {error}", "Check its quotes") from None


def _unreadable(path: Path, what: str, remedy: str) -> InvalidInput:
    return InvalidInput(
        "unreadable_file", f"{path} {what}.", f"{remedy}, and load it again: rows that are stored already do no harm."
    )


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    # A row at a time: the file may be larger than memory.
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as raw:
        if _is_table(path):
            delimiter = "\t" if ".tsv" in path.suffixes else ","
            reader = csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""), delimiter=delimiter)
            for row in reader:
                # csv puts what lies beyond the header under None: a comma without quotes, which shifts all after it.
                beyond = row.pop(None, None)
                yield reader.line_num, BadRow(reader.line_num, _too_long(beyond)) if beyond else row
            return
        for number, line in enumerate(raw, start=1):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield number, BadRow(number, f"not JSON: {error}")
                continue
            yield number, row if isinstance(row, dict) else BadRow(number, f"not a JSON object: {line[:60]!r}")


def _too_long(beyond: Any) -> str:
    return (
        f"more cells than the header has columns, the first of them {beyond[0]!r}; put quotes around commas in a text"
    )


def _is_table(path: Path) -> bool:
    return ".csv" in path.suffixes or ".tsv" in path.suffixes


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(str, names)) or "none"


def _string(value: Any) -> str:
    """A list becomes one text."""
    if isinstance(value, list):
        return " ".join(map(_string, value))
    return "" if value is None else str(value).strip()


def _strings(value: Any, separator: str | None = None) -> list[str]:
    values = value if isinstance(value, list) else _string(value).split(separator) if separator else [value]
    return [text for entry in values if (text := _string(entry))]


def _number(name: str, value: Any) -> float | None:
    text = _string(value)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} = {text!r} is no number; correct it or leave it empty") from None


def _year(value: Any) -> float | None:
    start = _string(value)[:4]
    return float(start) if start.isdigit() and len(start) == 4 else None

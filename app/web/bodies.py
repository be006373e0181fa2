"""Reads bodies with many entries: each is good or refused on its own, with its place and the reason."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from app.schemas.parts import Rejection
from core.errors import InvalidInput
from core.pace import unhurried

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed entry, or why it could not be parsed."""

    index: int
    value: Any
    line: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Good(Generic[Body]):
    """A valid entry and its place."""

    index: int
    line: int | None
    body: Body


def entries(data: bytes, *, many: str) -> list[Entry]:
    """A JSON array, one JSON object, an object with the array under `many`, or NDJSON (one object a line).

    InvalidInput when there is nothing, or when a text that is clearly not NDJSON is broken.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    text = data.strip()
    if not text:
        raise InvalidInput("empty_body", "The body is empty.", "Send a JSON object, a JSON array or NDJSON.")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if text.startswith(b"[") or b"\n" not in text:
            raise InvalidInput(
                "broken_json", f"The body is not JSON: {error}.", "Send a JSON object, a JSON array or NDJSON."
            ) from None
        return list(_lines(data))
    if isinstance(value, dict) and isinstance(value.get(many), list) and len(value) == 1:
        value = value[many]
    return [Entry(n, entry) for n, entry in enumerate(value if isinstance(value, list) else [value])]


def validate(found: list[Entry], model: type[Body], code: str) -> tuple[list[Good[Body]], list[Rejection]]:
    """Entries that fit the model, and a Rejection for each that doesn't."""
    good: list[Good[Body]] = []
    rejected: list[Rejection] = []
    for entry in unhurried(found):
        problem = entry.error
        if problem is None:
            try:
                good.append(Good(entry.index, entry.line, model.model_validate(entry.value)))
                continue
            except ValidationError as error:
                problem = sentences(error.errors())
        rejected.append(
            Rejection(
                index=entry.index,
                line=entry.line,
                code=code,
                message=problem,
                remedy="Correct this entry and send it again; see /docs for the fields and an example.",
            )
        )
    return good, rejected


def json_body(model: type[BaseModel], *, ndjson: bool = False) -> dict[str, Any]:
    """The OpenAPI of a body that `entries` reads."""
    schema = model.model_json_schema()
    one = _inlined(schema, schema.pop("$defs", {}))
    kinds: dict[str, Any] = {
        "application/json": {
            "schema": {"anyOf": [one, {"type": "array", "items": one}]},
            "example": schema["examples"],
        }
    }
    if ndjson:
        lines = "\n".join(orjson.dumps(example).decode() for example in schema["examples"])
        kinds["application/x-ndjson"] = {"schema": {"type": "string"}, "example": lines}
    return {"requestBody": {"required": True, "content": kinds}}


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references: its parts are not among FastAPI's components."""
    if isinstance(node, list):
        return [_inlined(entry, definitions) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    return {key: _inlined(value, definitions) for key, value in node.items()}


def sentences(problems: Any) -> str:
    """Pydantic's findings as `where: what (value)`."""
    return " ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'entry'}: {problem['msg']} (got {_short(problem['input'])})."
        for problem in problems
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _lines(data: bytes) -> Iterator[Entry]:
    index = 0
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield Entry(index, orjson.loads(line), line=number)
        except orjson.JSONDecodeError as error:
            yield Entry(index, None, line=number, error=f"line {number} is not JSON: {error}.")
        index += 1

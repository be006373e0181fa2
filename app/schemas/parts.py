"""What the shapes of several resources are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]  # databases refuse NUL in a text
Name = Annotated[str, Field(min_length=1, max_length=100)]


def _unicode(text: str) -> str:
    """JSON can write halves of a character; no store can hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text has half of a surrogate pair; send whole characters") from None
    return text


Text = Annotated[str, AfterValidator(_unicode)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Values = Annotated[list[Annotated[str, Field(max_length=10_000)]], BeforeValidator(_as_list)]


def model(example: dict[str, Any]) -> ConfigDict:
    """Unknown keys are refused; OpenAPI shows the example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]}, populate_by_name=True)


def seconds(timestamp: datetime) -> float:
    """Seconds since the epoch; timestamps without a zone are UTC."""
    return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp()


class Rejection(BaseModel):
    """Why one entry was refused. `index` counts from 0; for NDJSON `line` counts from 1."""

    model_config = model(
        {
            "index": 3,
            "line": 4,
            "code": "invalid_item",
            "message": "id: Field required.",
            "remedy": "Correct this item and send it again.",
        }
    )

    index: int
    line: int | None = None
    code: str
    message: str
    remedy: str


class ErrorAnswer(BaseModel):
    """What is wrong, and the remedy."""

    model_config = model(
        {
            "code": "no_such_item",
            "message": "There is no item 'x'.",
            "remedy": "Check the id, or PUT the item to /v1/items.",
        }
    )

    code: str
    message: str
    remedy: str

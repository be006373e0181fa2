"""What a search may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from bowerbird_client.wire import encode, keyed


@dataclass(frozen=True, slots=True)
class Range:
    """Figures from one bound to the other, both included; either may be left out."""

    low: float | None = keyed("from", default=None)
    high: float | None = keyed("to", default=None)


class SearchOptions(TypedDict, total=False):
    """All but the query. `start` is how many results to skip; `plan` and `policy` need `preview`.

    Give `client_id` and `session_id` when you can: learning is safer and better with them.
    """

    size: int
    start: int
    user_id: str | None
    session_id: str | None
    client_id: str | None
    filters: Mapping[str, str | Sequence[str] | Range]
    facets: Sequence[str]
    context: Mapping[str, str]
    history: Sequence[str]
    explain: bool
    preview: bool
    plan: str | None
    policy: str | None


def search_body(query: str, options: SearchOptions) -> dict[str, Any]:
    body: dict[str, Any] = {"query": query, **options}
    if "start" in body:
        body["from"] = body.pop("start")
    encoded: dict[str, Any] = encode(body)
    return encoded

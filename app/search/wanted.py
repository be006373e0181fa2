"""One search as it is asked for, whichever process answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.types import Query


@dataclass(frozen=True, slots=True)
class Wanted:
    """The page [start, start + size) of the answer to the query.

    A named `plan` or `policy` is for looking around: it needs `preview`, because its propensity says nothing about the
    policy that serves. `facets` are counted whatever the plan, and not logged. `explain`: with what made each score.
    """

    query: Query
    start: int = 0
    size: int = 10
    plan: str | None = None
    policy: str | None = None
    preview: bool = False
    facets: Sequence[str] = ()
    explain: bool = False

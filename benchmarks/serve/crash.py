"""What `make crash` found: kills under load, and what was lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.evidence import RESULTS

_WANTED = ("crash.sqlite.rounds", "crash.postgres.rounds", "crash.lost")


def measure() -> dict[str, Any]:
    path = RESULTS / "crash.json"
    found = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    return {"figures": {name: found[name] for name in _WANTED if name in found}}


def section(found: Mapping[str, Any]) -> Sequence[str]:
    figures = found["figures"]
    if not figures:
        return ["## Kills under load", "Not made yet: `make crash`.", ""]
    return [
        "## Kills under load",
        f"`make crash`: `kill -9` of the service or its database under load, {figures.get('crash.sqlite.rounds', 0)} "
        f"times with SQLite, {figures.get('crash.postgres.rounds', 0)} times with PostgreSQL. Of what had been "
        f"acknowledged, {figures.get('crash.lost', 'an unknown number')} were lost.",
        "",
    ]

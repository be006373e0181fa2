"""Where people look, by the log: the estimated curve beside the assumed one, and what is left of it below a click."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.episodes import Episode
from core.errors import InvalidInput
from feedback.position_bias import PositionBias, assumed_curve

SHOWN = 10


def report_examination(episodes: Iterable[Episode]) -> dict[str, Any]:
    """`{"searches", "clicked", "swapped", "after_click", "positions": [{"position", "assumed", "estimated", "low",
    "high"}]}`; the curve is that of people who have not clicked, below a click it is `after_click` times that.

    InvalidInput when nobody has clicked anything.
    """
    bias = PositionBias()
    searches = clicked = swapped = 0
    for episode in episodes:
        bias.correct([episode])
        searches += 1
        clicked += any(gain > 0 for gain in episode.gains)
        swapped += episode.impression.swapped > 0
    if not clicked:
        message = f"The log has {searches} closed searches, none with a click."
        raise InvalidInput("no_clicks", message, "Send clicks to POST /v1/events; until then the assumed curve holds.")
    found = bias.estimated()
    low, high = found.interval()
    rows = zip(assumed_curve(), found.curve, low, high, strict=True)
    names = ("position", "assumed", "estimated", "low", "high")
    positions = [dict(zip(names, (n, *map(float, row)), strict=True)) for n, row in enumerate(rows, start=1)][:SHOWN]
    counts = {"searches": searches, "clicked": clicked, "swapped": swapped}
    return {**counts, "after_click": found.after_click, "positions": positions}

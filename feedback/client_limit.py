"""How much one customer may teach a day, whatever learns: so that nobody clicks an item to the top alone."""

from __future__ import annotations

from collections.abc import Sequence

from core.client_cap import ClientCap
from core.episodes import Episode
from core.text import query_key

_DAY_S = 86_400.0


class ClientLimit:
    """Leaves out a customer's searches beyond `cap` a day for one text, and beyond `cap` a day that engage with one
    item. Searches of nobody known are not limited: nothing tells them apart.

    They are left out as a whole: without their clicks they would say that the items were not wanted.
    """

    def __init__(self, cap: int) -> None:
        self._cap = ClientCap(cap)

    def admitted(self, episodes: Sequence[Episode]) -> list[Episode]:
        """Those that count, in order; a function of the log."""
        return [episode for episode in episodes if self._admits(episode)]

    def _admits(self, episode: Episode) -> bool:
        query = episode.impression.query
        taken = [i for i, gain in zip(episode.impression.shown, episode.gains, strict=True) if gain]
        keys = [f"text {query_key(query.text)}", *(f"item {item_id}" for item_id in taken)]
        day = int(query.time // _DAY_S)
        counts = [
            self._cap.admits(query, f"{day} {key}") for key in keys
        ]  # all of them, also after one that is used up
        return all(counts)

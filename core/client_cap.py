"""How often one client may speak: so that nobody can click an item to the top, or a word into its place, alone."""

from __future__ import annotations

from collections import OrderedDict

from core.customer import customer_of
from core.types import Query

_MAX_COUNTS = 500_000


class ClientCap:
    """Counts of (client, key), at most `cap` of which count; searches of nobody are not capped.

    Who a client is: core.customer. Above _MAX_COUNTS pairs, those not heard of for longest
    are forgotten.
    """

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def admits(self, query: Query, key: str) -> bool:
        """Whether this search still counts for the key; it is counted."""
        client = customer_of(query)
        if client is None:
            return True
        count = self._counts.pop((client, key), 0) + 1
        self._counts[client, key] = count
        if len(self._counts) > _MAX_COUNTS:
            self._counts.popitem(last=False)
        return count <= self._cap

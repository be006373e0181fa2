"""What each session has engaged with lately, so that its next search can build on it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from threading import Lock

from core.episodes import Feedback
from core.types import ItemId

_SESSIONS = 50_000
_ITEMS = 20


class Sessions:
    """The newest items of the newest sessions, in memory: bounded, of this process, and gone with it.

    Only actions that speak for an item (weight above 0) count. Who answers a session from several services
    gets its history with the search instead.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights
        self._lock = Lock()
        self._items: OrderedDict[str, deque[ItemId]] = OrderedDict()

    def add(self, events: Sequence[Feedback]) -> None:
        """Events that were stored just now."""
        with self._lock:
            for event in events:
                if event.session_id is None or self._weights.get(event.action, 0.0) <= 0:
                    continue
                items = self._items.setdefault(event.session_id, deque(maxlen=_ITEMS))
                self._items.move_to_end(event.session_id)
                if event.item_id in items:
                    items.remove(event.item_id)
                items.append(event.item_id)
                if len(self._items) > _SESSIONS:
                    self._items.popitem(last=False)

    def history(self, session_id: str | None) -> tuple[ItemId, ...]:
        """Distinct items, newest last; empty for a session unknown."""
        with self._lock:
            return tuple(self._items.get(session_id, ())) if session_id is not None else ()

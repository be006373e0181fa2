"""Which context features a learner learns from: those of the searches now, not those of a few stragglers."""

from __future__ import annotations

# So many episodes in a row with the same other context features are a change, fewer are stragglers.
_STRANGERS = 20


class CurrentNames:
    """The names of the current context features: at first the first seen, later what many in a row have had."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] | None = None
        self._strangers = 0
        self._stranger_names: tuple[str, ...] | None = None

    def admits(self, names: tuple[str, ...]) -> bool:
        """Whether these are the current ones, which they become when they were the same for so long."""
        if names == self.names:
            self._strangers = 0
            return True
        self._strangers = self._strangers + 1 if names == self._stranger_names else 1
        self._stranger_names = names
        if self.names is not None and self._strangers < _STRANGERS:
            return False
        self.names, self._strangers = names, 0
        return True

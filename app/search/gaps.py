"""Searches that are on their way, and the gaps between them: other work is done in these, as far as it can wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Condition

from core.pace import giving_way

_LEAVES_S = 0.002  # what an answer takes to leave after its search
_BESIDE = 4.0  # times what it has worked, at most, does work that somebody waits for rest beside searches


@dataclass(slots=True)
class Gaps:
    """One per service. All threads share one interpreter: whoever computes beside a search takes its time from it."""

    searches: int = field(init=False, default=0)
    _ended: Condition = field(init=False, default_factory=Condition)

    @contextmanager
    def search(self) -> Iterator[None]:
        """Around every search."""
        with self._ended:
            self.searches += 1
        try:
            yield
        finally:
            with self._ended:
                self.searches -= 1
                if not self.searches:
                    self._ended.notify_all()

    def beside(self) -> AbstractContextManager[None]:
        """What this thread does unhurriedly meanwhile (see core.pace), it does in the gaps, and under load for a fifth
        of the time: somebody waits for it."""
        return giving_way(lambda worked: self.wait(_BESIDE * worked))

    def wait(self, most_s: float) -> None:
        """Return when no search is on its way, or after `most_s` seconds: what must be done is done under load too."""
        until = time.monotonic() + most_s
        while self.searches and (left := until - time.monotonic()) > 0:
            with self._ended:
                self._ended.wait_for(lambda: not self.searches, left)
            time.sleep(_LEAVES_S)

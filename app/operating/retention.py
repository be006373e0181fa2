"""Forgets what is older than the configuration wants to keep, from time to time."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field

from core.errors import Unavailable
from core.protocols import EventStore

log = logging.getLogger(__name__)
_DAY_S = 86_400.0
_EVERY_S = 3_600.0


@dataclass(slots=True)
class Retention:
    """`days` of searches with their feedback are kept; 0 keeps all."""

    store: EventStore
    days: float
    _due: float = field(default=-math.inf)

    def step(self, now: float) -> int:
        """How many rows were forgotten; looks once an hour. A log that cannot be written is tried again then."""
        if not self.days or now < self._due:
            return 0
        self._due = now + _EVERY_S
        try:
            removed = self.store.forget_before(now - self.days * _DAY_S)
        except Unavailable as error:
            log.error("what is older than %g days could not be forgotten: %s", self.days, error.message)
            return 0
        if removed:
            log.info("%d rows older than %g days are forgotten", removed, self.days)
        return removed

    def close(self) -> None:
        self.store.close()

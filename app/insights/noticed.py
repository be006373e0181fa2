"""All that an application notices, as one value for its routes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from app.insights.follower import Follower
from app.insights.learned import StoredInsights
from app.insights.live import Live
from app.insights.memory_course import MemoryCourse
from app.insights.storage import Storage
from app.service import Service
from app.settings import Settings


@dataclass(slots=True)
class Noticed:
    """`memory` is there once the service is."""

    live: Live
    learned: StoredInsights
    storage: Storage
    memory: MemoryCourse | None = field(init=False, default=None)
    _follower: Follower | None = field(init=False, default=None)

    @classmethod
    def by(cls, settings: Settings) -> Noticed:
        live = Live(clock=time.time, window_s=settings.feedback.window_s)
        return cls(live, StoredInsights(settings.data_dir), Storage(settings.data_dir))

    def follow(self, service: Service) -> None:
        self.memory = MemoryCourse(service.recall, service.clock, service.gaps)
        self._follower = Follower(service, self.learned, self.memory)
        self._follower.start()

    def stop(self) -> None:
        if self._follower is not None:
            self._follower.stop()

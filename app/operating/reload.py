"""A changed configuration, taken over while serving: checked as a whole, then all of it that needs no new start.

What indexes are made from, sockets, stores and the encoder stay as they were started; such keys are named.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from fastapi import FastAPI

from app.operating.logs import configure_logging
from app.service import Service
from app.settings import Settings
from core.errors import BowerbirdError

log = logging.getLogger(__name__)

# Sections, and keys of the others, that every request or every step looks up anew.
_LIVE_SECTIONS = {"retrieval", "degradation", "shadow", "experiment", "rollout", "diversity", "logging", "learner", "quality"}  # fmt: skip  # noqa: E501
_LIVE_KEYS = {
    "service.drain_s", "limits.events_per_batch", "limits.query_characters", "limits.page_size", "neural.top",
    "neural.weight", "neural.deadline_ms", "policy.kind", "policy.explore", "policy.min_clicked", "policy.cost_per_ms",
    "policy.gamma", "policy.floor", "ranking.min_clicked", "ranking.retrain_every", "ranking.max_episodes",
    "ranking.memory_mib", "ranking.sampled_negatives", "ranking.swap", "ranking.judgments", "ranking.trial",
    "ranking.trial_share", "ranking.trial_searches", "ranking.parameters", "retention.days",
}  # fmt: skip
# A change of these is told to the learner, by starting it anew.
_LEARNERS = {"policy", "rollout", "ranking", "learner", "retrieval", "experiment", "retention"}


def changed(old: Settings, new: Settings) -> set[str]:
    """`section.key` of all values that differ."""
    before, after = old.model_dump(), new.model_dump()
    return {
        f"{section}.{key}" for section, keys in after.items() for key in keys if keys[key] != before[section].get(key)
    }


def is_live(key: str) -> bool:
    """Whether this `section.key` can change while serving."""
    return key in _LIVE_KEYS or key.partition(".")[0] in _LIVE_SECTIONS


def in_force(running: Settings, wanted: Settings) -> Settings:
    """`wanted` as far as it can be had without a start, the rest as it runs."""
    merged: dict[str, Any] = running.model_dump()
    merged["database"] = running.database  # of which a dump does not tell the password
    for key in changed(running, wanted):
        if is_live(key):
            section, _, name = key.partition(".")
            merged[section][name] = wanted.model_dump()[section][name]
    return Settings.model_validate(merged)


@dataclass(slots=True)
class ConfigWatch:
    """Looks at the configuration when a file of it has changed, or when it is told to.

    `read` gives the settings anew; `restart_learner` is called when the learner has to know of a change.
    """

    app: FastAPI
    read: Callable[[], Settings]
    files: Sequence[Path]
    restart_learner: Callable[[], None]
    verbose: bool = False
    _asked: Event = field(default_factory=Event)
    _stop: Event = field(default_factory=Event)
    _seen: list[tuple[int, int]] = field(default_factory=list)

    def ask(self) -> None:
        """Look now. Safe in a signal handler."""
        self._asked.set()

    def start(self, interval_s: float) -> None:
        self._seen = self._stamps()
        Thread(target=self._watch, args=(interval_s,), name="config-watch", daemon=True).start()

    def close(self) -> None:
        self._stop.set()

    def look(self) -> bool:
        """Take the configuration over; False when it is refused, which the log explains and which changes nothing."""
        service: Service | None = self.app.state.service
        if service is None:
            return False
        running: Settings = self.app.state.settings
        try:
            wanted = self.read()
            settings = in_force(running, wanted)
            service.adopt(settings)
        except BowerbirdError as error:
            log.error("the changed configuration is refused, and the old one goes on: %s", error)
            return False
        except ValueError as error:  # what is wanted, together with what cannot change now
            log.error("the changed configuration needs a restart, and the old one goes on: %s", error)
            return False
        self._tell(running, wanted, settings)
        return True

    def _tell(self, running: Settings, wanted: Settings, settings: Settings) -> None:
        taken, left = changed(running, settings), frozenset(changed(settings, wanted))
        self.app.state.settings, self.app.state.needs_restart = settings, left
        configure_logging(settings, verbose=self.verbose)
        if taken:
            self.app.state.searchers.adopt(settings)
            log.warning("configuration %s is in force, changed: %s", settings.hash, ", ".join(sorted(taken)))
        if left:
            log.warning("these take effect at the next start: %s", ", ".join(sorted(left)))
        elif any(key.partition(".")[0] in _LEARNERS for key in taken):
            self.restart_learner()

    def _watch(self, interval_s: float) -> None:
        while not self._stop.is_set():
            asked = self._asked.wait(interval_s)
            self._asked.clear()
            stamps = self._stamps()
            if asked or stamps != self._seen:
                self._seen = stamps
                try:
                    self.look()
                except Exception:  # what served goes on serving
                    log.exception("the changed configuration could not be taken over")

    def _stamps(self) -> list[tuple[int, int]]:
        return [(stat.st_mtime_ns, stat.st_size) for path in self.files if path.exists() and (stat := path.stat())]

"""What the learner notices on its way through the log, in a small file that the service reads."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.insights.course import Course
from app.insights.kinds import Kinds
from app.insights.off_policy import OffPolicy
from app.insights.plan_figures import PlanFigures
from app.insights.queries import Queries
from app.insights.sums import Sum
from bandit.plans import PlanLibrary
from bandit.rollouts.staged import in_control
from core.episodes import Episode
from core.protocols import Policy

log = logging.getLogger(__name__)
_NAME = "insights.json"
_FORMAT = 2  # raised when what is in the file changes: a reader leaves other formats alone
_FIRST_WIDTH_S = 1.0
_FIRST_WIDTH_SEARCHES = 5.0


class Insights:
    """A Learner by its shape, so that the loop shows it every episode once; it makes no model, but writes its file.

    Left out of everything but the counts of queries: further pages, answers of experiments, degraded ones.
    """

    component = "insights"

    def __init__(
        self,
        data_dir: Path,
        library: PlanLibrary,
        policies: Callable[[], Mapping[str, Policy]],
        *,
        control: float | None,
        window_s: float,
    ) -> None:
        """`control`: the share of the clients who are a rollout's permanent control, None without a rollout."""
        self._data_dir = data_dir
        self._control = control
        self._window_s = window_s
        self._times = Course(_FIRST_WIDTH_S)
        self._searches = Course(_FIRST_WIDTH_SEARCHES)
        self._control_reward = Sum()
        self._plans = PlanFigures({plan.name: plan for plan in library.plans})
        self._kinds = Kinds()
        self._queries = Queries()
        self._off_policy = OffPolicy(policies, library)
        self._counts = {"episodes": 0, "clicked": 0, "feedback": 0, "identified": 0, "counted": 0}
        self._newest = 0.0

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._count(episode)
            self._queries.add(episode)
            if _tells(episode):
                self._tell(episode)

    def snapshot(self) -> bytes | None:
        """Writes the file; there is no model."""
        partial = self._data_dir / f"{_NAME}.{os.getpid()}.partial"
        partial.write_text(json.dumps(self.to_json()), encoding="utf-8")
        partial.replace(self._data_dir / _NAME)
        return None

    def to_json(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "written": time.time(),
            "newest": self._newest,
            "window_s": self._window_s,
            **self._counts,
            "control": None if self._control is None else {"share": self._control, **self._control_reward.to_json()},
            "best_plan": self._plans.best,
            "over_time": self._times.to_json(self._plans.best),
            "over_searches": self._searches.to_json(self._plans.best),
            "plans": self._plans.to_json(),
            "kinds": self._kinds.to_json(),
            "off_policy": self._off_policy.to_json(),
            "queries": self._queries.to_json(),
        }

    def _count(self, episode: Episode) -> None:
        self._newest = max(self._newest, episode.impression.query.time)
        self._counts["episodes"] += 1
        self._counts["clicked"] += any(gain > 0 for gain in episode.gains)
        self._counts["feedback"] += len(episode.feedback)
        self._counts["identified"] += episode.impression.query.client_id is not None

    def _tell(self, episode: Episode) -> None:
        impression = episode.impression
        self._counts["counted"] += 1
        # By the client: until something is learned the control's policy serves the others as well.
        control = self._control is not None and in_control(impression.query, self._control)
        if control:
            self._control_reward.add(episode.reward)
        self._times.add(impression.query.time, episode, control=control)
        self._searches.add(self._counts["counted"], episode, control=control)
        self._plans.add(episode)
        self._kinds.add(episode)
        self._off_policy.add(episode)


class StoredInsights:
    """The file as it is now; parsed once per change."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _NAME
        self._read: tuple[int, dict[str, Any]] | None = None

    def now(self) -> dict[str, Any] | None:
        """None before a learner's first step, or when another version wrote it."""
        try:
            changed = self._path.stat().st_mtime_ns
            if self._read is None or self._read[0] != changed:
                self._read = changed, json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, OSError):
            log.warning("%s cannot be read", self._path)
            return None
        found = self._read[1]
        return found if found.get("format") == _FORMAT else None


def _tells(episode: Episode) -> bool:
    impression = episode.impression
    return impression.first_position == 1 and not (impression.experiment or impression.degraded)

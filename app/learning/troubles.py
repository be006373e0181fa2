"""What the learner could not do, for others to read: a small file in the data directory."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback.learner import Step

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Troubles:
    """Component -> why it last failed, and when. A component that makes a model again is forgotten."""

    data_dir: Path

    def note(self, step: Step, *, now: float) -> None:
        known = self.read()
        left = {name: trouble for name, trouble in known.items() if name not in step.made}
        left |= {name: {"why": why, "time": now} for name, why in step.failed.items()}
        if left != known:
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps(left), encoding="utf-8")
            partial.replace(self._file)

    def read(self) -> dict[str, Any]:
        """`{component: {"why", "time"}}`; empty while nothing has failed."""
        try:
            found: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            log.warning("%s cannot be read", self._file)
            return {}
        return found

    @property
    def _file(self) -> Path:
        return self.data_dir / "learner-troubles.json"

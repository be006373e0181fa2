"""What the learner last knew of itself, for the service to show: a small file in the data directory."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)
_NAME = "learner-state.json"


@dataclass(frozen=True, slots=True)
class LearnerState:
    """`caught_up`: by then it had learned from everything that had closed. `episodes` since it started.

    `figures`: what the newest searches say of the policy that serves, by name; see PolicyWatch. Absent is not known.
    """

    caught_up: float
    episodes: int
    figures: Mapping[str, float] = field(default_factory=dict)


def write_state(data_dir: Path, state: LearnerState) -> None:
    """Readers see the old one or this one."""
    partial = data_dir / f"{_NAME}.partial"
    partial.write_text(json.dumps(asdict(state)), encoding="utf-8")
    partial.replace(data_dir / _NAME)


def read_state(data_dir: Path) -> LearnerState | None:
    """None before the learner's first step."""
    try:
        return LearnerState(**json.loads((data_dir / _NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, OSError):
        log.warning("%s cannot be read", data_dir / _NAME)
        return None

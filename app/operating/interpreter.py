"""How the interpreter runs in a process that answers searches."""

from __future__ import annotations

import sys

from app.indexing.garbage import collect_rarely

# Arms, loaders of models and writers share one interpreter, and a search asks for it some thirty times: beside a thread
# that never rests, Python's own 5 ms make it seconds. With less than this, a feed of changes is stored more slowly:
# docs/decisions/023-the-pace-of-releases.md.
_SWITCH_S = 0.0003


def for_searching() -> None:
    """For the whole process, before anything else."""
    sys.setswitchinterval(_SWITCH_S)
    collect_rarely()

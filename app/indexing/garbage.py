"""When garbage is collected, and among what: a walk through all that a service keeps holds up every search."""

from __future__ import annotations

import gc

# New objects, collections of the young, and of the middle-aged until the next kind of collection. Searches and changes
# leave few cycles behind; a full collection stops everything for 20 to 300 ms. While items change, most new objects
# stay: of 200,000 middle-aged ones a collection took 80 ms, of 9,000 it takes 5.
_THRESHOLDS = (3_000, 3, 20_000)


def collect_rarely() -> None:
    """For the whole process."""
    gc.set_threshold(*_THRESHOLDS)


def started() -> None:
    """What a start leaves behind goes, and what is there then stays."""
    gc.collect()
    gc.freeze()


def kept() -> None:
    """What is there now stays: no later collection walks through it."""
    gc.freeze()

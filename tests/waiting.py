"""Waiting for what another thread or process is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(true: Callable[[], object], *, within_s: float = 20.0) -> None:
    """Return when it is true; an AssertionError when it never is."""
    last = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < last
        time.sleep(0.02)

"""Model libraries are used with local folders only."""

from __future__ import annotations

import os


def never_ask_the_hub() -> None:
    """Call it before a model library is imported: a local folder needs no hub, and asking takes minutes to fail."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # they take a second, and our own bar is on the screen

"""The ratings that a new ranking model must not order worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import Settings
from core.errors import InvalidConfig, InvalidInput

if TYPE_CHECKING:
    from ranking.metrics import Judgments


def judgments(settings: Settings) -> Judgments | None:
    """Those of `ranking.judgments`; None where none are named. InvalidConfig when they cannot be read."""
    named = settings.ranking.judgments
    if not named:
        return None
    from ranking.metrics import read_judgments  # here, because few need it, and what it imports takes long

    try:
        return read_judgments(Path(named))
    except InvalidInput as error:
        raise InvalidConfig(
            "unusable_judgments",
            f"ranking.judgments = {named!r}: {error.message}",
            "Name a CSV with the header `query,docid,rating` and whole numbers as ratings, or leave it empty.",
        ) from None

"""Where sense demands a direction: a better match may never lower a score, whatever a few hundred queries suggest."""

from __future__ import annotations

from collections.abc import Sequence

_UP = (
    ".score",
    ".score_share",
    "arms.rrf",
    "arms.found",
    "text.title_share",
    "text.prose_share",
    "text.label_share",
    "text.title_exact",
    "text.title_first",
    "text.title_last",
    "text.title_trigrams",
    "behaviour.item_rate",
)
_DOWN = (".rank",)


def directions(names: Sequence[str]) -> list[int]:
    """LightGBM's monotone_constraints: 1 where more is better, -1 where less is, 0 where either may be."""
    return [1 if name.endswith(_UP) else -1 if name.endswith(_DOWN) else 0 for name in names]

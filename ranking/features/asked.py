"""What the families of features see of one search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.types import Candidate, Floats, ItemId, Query
from ranking.features.slots import Numbers

# (session, newest last; items) -> [items] how near each is to the session, NaN where that is not known.
ToSession = Callable[[Sequence[ItemId], Sequence[ItemId]], Floats]


@dataclass(frozen=True, slots=True)
class Asked:
    """`ids`, `slots`, `types` and `brands` are those of the candidates; UNKNOWN where an item has no brand. `figures`:
    what the catalogue says of each, [FIGURES, candidates]; `prices`: log price above that of the median candidate."""

    query: Query
    candidates: Sequence[Candidate]
    ids: Sequence[ItemId]
    slots: Numbers
    types: Numbers
    brands: Numbers
    figures: Floats
    prices: Floats

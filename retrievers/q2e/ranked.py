"""The best of what was seen for a query and of what is predicted for it, by posterior mean gain per examination."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Floats
from retrievers.q2e.learned import Evidence
from retrievers.q2e.prior import Beliefs
from retrievers.q2e.term_table import Ints

# The prior: belief 1.0 means this gain per examination, and counts as this many examinations.
PRIOR_GAIN = 0.3
PRIOR_STRENGTH = 4.0
_PRIOR_STRENGTH, _PRIOR_GAINS = np.float32(PRIOR_STRENGTH), np.float32(PRIOR_STRENGTH * PRIOR_GAIN)
# Items that nobody has seen for the query fill an answer up to so many, those that people took counted: more of them
# crowd out what was learned.
MOST_PREDICTED = 10

Passes = Callable[[int], bool]  # whether the item in a slot passes the filters
Ties = NDArray[np.int64]  # of every slot, see TermTable


class Ranked(NamedTuple):
    """[n] slots, best first, with the beliefs, gains, examinations and posteriors."""

    slots: Ints
    beliefs: Floats
    gains: Floats
    examined: Floats
    posteriors: Floats


def ranked(
    evidence: Evidence, seen: Floats, unseen: Beliefs, ties: Ties, most: int, passing: Passes | None = None
) -> Ranked:
    """The `most` best that pass; `seen`: beliefs in the items of the evidence, `unseen`: in any items.

    What was only shown, and never predicted nor clicked, is no memory.
    """
    taken = evidence.gains > 0
    left = max(0, MOST_PREDICTED - int(np.count_nonzero(taken)))
    predicted = _predicted(unseen, evidence.slots, ties, min(most, left), passing)
    slots = np.concatenate([evidence.slots, unseen.slots.take(predicted)])
    beliefs = np.concatenate([seen, unseen.values.take(predicted)])
    gains, examined = np.zeros(len(slots), np.float32), np.zeros(len(slots), np.float32)
    gains[: len(seen)], examined[: len(seen)] = evidence.gains, evidence.examined
    # As core.rates.posterior, for all at once.
    posteriors = (_PRIOR_GAINS * beliefs + np.maximum(gains, 0)) / (examined + _PRIOR_STRENGTH)
    order = np.lexsort((ties.take(slots), -posteriors))
    known = beliefs > 0
    known[: len(seen)] |= taken
    order = order[known.take(order)]
    if passing:
        order = order[[passing(slot) for slot in slots[order].tolist()]]
    order = order[:most]
    return Ranked(
        slots.take(order), beliefs.take(order), gains.take(order), examined.take(order), posteriors.take(order)
    )


def _predicted(unseen: Beliefs, seen: Ints, ties: Ties, most: int, passing: Passes | None) -> list[int]:
    """Places of the `most` best that were not seen and pass, best first."""
    places = np.arange(len(unseen.slots)) if passing else _first(unseen.values, most + len(seen))
    slots = unseen.slots.take(places)
    order = np.lexsort((ties.take(slots), -unseen.values.take(places)))
    known, best = set(seen.tolist()), list[int]()
    for place, slot in zip(places[order].tolist(), slots[order].tolist(), strict=True):
        if len(best) == most:
            break
        if slot not in known and (not passing or passing(slot)):
            best.append(place)
    return best


def _first(values: Floats, most: int) -> NDArray[np.intp]:
    """Places of the largest values: all that are no smaller than the last of the `most`."""
    least = np.partition(values, -most)[-most] if 0 < most < len(values) else 0.0
    return (values >= least).nonzero()[0]

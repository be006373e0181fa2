"""What other plans would have earned of a page that was shown: by where they would have put what was clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.episodes import Episode

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
NOWHERE = np.iinfo(np.int64).max
_RRF_K = 60  # of the fusion that orders answers as long as nothing is learned
_MOST_LOOKED = 4.0  # by how much more a place may be looked at than the one that was shown


def ranks_of(found: Sequence[Sequence[int]]) -> Integers:
    """[arms, shown] the ranks as they are logged, 0 becoming NOWHERE."""
    ranks = np.array(found, dtype=np.int64)
    return np.where(ranks > 0, ranks, NOWHERE)


def clicked(episode: Episode) -> Integers:
    """The rows with a positive gain; what was dismissed earns nothing."""
    return np.flatnonzero(np.array(episode.gains) > 0)


def earned(episode: Episode, ranks: Integers, depths: Integers) -> Doubles:
    """[plans] the reward if what was clicked stood where each plan of `depths` [plans, arms] would have shown it, by
    the arms' `ranks` [arms, shown].

    A place that is looked at twice as often is worth twice the clicks (inverse propensity scoring of positions).
    """
    impression, rows = episode.impression, clicked(episode)
    if not len(rows):
        return np.zeros(len(depths))
    places = _places(impression.ranker == "rrf", ranks, depths)[:, rows] + impression.first_position - 1
    looked = np.array([*episode.examination, 0.0])  # below the page, nobody
    last = impression.first_position + len(impression.shown)
    places = np.minimum(places, last)
    there = np.array(episode.gains)[rows] / np.log2(1 + places) * (places < last)
    whole = there.sum(axis=1)
    seen = np.minimum(looked[places - impression.first_position] / looked[rows], _MOST_LOOKED)
    # A reward is at most 1, however many were clicked; only how often they would be may be more than once.
    found: Doubles = np.minimum(1.0, 1 / np.maximum(whole, 1e-9)) * (there * seen).sum(axis=1)
    return found


def _places(fused: bool, ranks: Integers, depths: Integers) -> Integers:
    """[plans, shown] the places from 1 on at which each plan would have shown what was shown, NOWHERE // 2 for none.

    Rank fusion is done again with the ranks of the plan's arms, of equals the one first that was shown first, and what
    only one arm has stands as in its answer. What a learned ranker would do without the features of the arms that are
    left out is not known: places stay.
    """
    has = ranks[None] <= depths[:, :, None]
    within = has.any(axis=1)
    if fused:
        earlier = np.tri(ranks.shape[1], k=-1, dtype=bool)  # [shown, others]
        scores = np.where(has, 1.0 / (_RRF_K + np.where(has, ranks[None], 0)), 0.0).sum(axis=1)
        others, own_scores = scores[:, None, :], scores[:, :, None]
        places = 1 + ((others > own_scores) | (others == own_scores) & earlier).sum(axis=2)
        alone = (depths > 0).sum(axis=1) == 1
        own = np.where(has, ranks[None], 0).sum(axis=1)
        places = np.where(alone[:, None], own, places)
    else:
        places = np.broadcast_to(np.arange(1, ranks.shape[1] + 1), within.shape)
    found: Integers = np.where(within, places, NOWHERE // 2)
    return found

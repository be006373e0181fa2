"""A shop of ten items where people take what the tests say, and what is learned from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from builders import episode

from core.episodes import Episode
from retrievers.popularity.popularity_model import PopularityLearner

DAY = 86_400.0
IDS = [f"i{n}" for n in range(10)]
CLIENTS = count()


def learner() -> PopularityLearner:
    return PopularityLearner(half_life_s=7 * DAY, trend_half_life_s=DAY, client_cap=1)


def searches(
    taken: Sequence[str], *, day: float, client: str | None = None, arm: str = "lexical", **context: str
) -> list[Episode]:
    """One search for each taken item (or `nothing`), in which all of IDS are shown; each by a client of its own unless
    one is given."""
    found = []
    for n, each in enumerate(taken):
        shown = episode(
            query_id=f"{day}-{n}",
            shown=IDS,
            gains=[float(other == each) for other in IDS],
            time=day * DAY,
            client_id=client or f"client-{next(CLIENTS)}",
            ranks={arm: range(1, len(IDS) + 1)},
        )
        asked = replace(shown.impression.query, context=context)
        # Equal chances to be seen, so that takes alone tell the items apart.
        shown = replace(shown, examination=(1.0,) * len(IDS))
        found.append(replace(shown, impression=replace(shown.impression, query=asked)))
    return found


def model_of(learned: PopularityLearner) -> bytes:
    model = learned.snapshot()
    assert model is not None
    return model


def usual_days(learned: PopularityLearner, days: range) -> None:
    """Ten takes a day, the first items more often."""
    for day in days:
        learned.learn(searches(["i0"] * 4 + ["i1"] * 3 + ["i2"] * 2 + ["i3"], day=day))

"""A related arm with its seeds, following the catalogue as one, and relations learned from who took what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from builders import episode

from app.indexing.indexer import ItemTable
from core.episodes import Episode
from core.protocols import Retriever
from core.types import Item, ItemId
from retrievers.engagements.related_model import RelatedLearner
from retrievers.related import RelatedRetriever


class WithSeeds(RelatedRetriever):
    """In the service the indexer tells the table of items and the seeds one after the other."""

    def __init__(self, seeds: Retriever) -> None:
        self.items = ItemTable()
        super().__init__(seeds, self.items)
        self.seeds = seeds

    def apply(self, upserts: Sequence[Item], deletes: Collection[ItemId]) -> None:
        for follower in (self.items, self.seeds):
            follower.apply(upserts, deletes)


def took(customer: str, *items: str, time: float = 0.0) -> Episode:
    """One search of the customer, with all of these taken and one item left."""
    shown, gains = (*items, "left"), (*[1.0] * len(items), 0.0)
    return episode(query_id=f"{customer}{time}", shown=shown, gains=gains, client_id=customer, time=time)


def learned(episodes: Sequence[Episode]) -> bytes:
    learner = RelatedLearner(horizon_s=1e9)
    learner.learn(episodes)
    model = learner.snapshot()
    assert model is not None
    return model


def together(baskets: Mapping[tuple[str, ...], int]) -> bytes:
    """A model of so many customers with each basket, and of ten that keep P(Y) small with things of their own."""
    crowd = [took(f"{'-'.join(items)}-{n}", *items) for items, count in baskets.items() for n in range(count)]
    return learned([*crowd, *(took(f"other{n}", *(f"thing-{n}-{m}" for m in range(20))) for n in range(10))])


def arm(seeds: Retriever, baskets: Mapping[tuple[str, ...], int]) -> WithSeeds:
    related = WithSeeds(seeds)
    related.load(together(baskets))
    return related

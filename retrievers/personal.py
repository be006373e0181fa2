"""The personal arm: items near what this session and this customer took, and near the query, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from math import log1p

import numpy as np

from core.customer import customer_of
from core.types import Floats, ItemId, Query, Scored
from retrievers.engagements.customers import CustomersModel
from retrievers.vectors.embeddings import QueryVectors
from retrievers.vectors.index import VectorIndex

# The newest item of the session counts this much beside a customer's (whose weights halve with time), the one before it
# DECAY of that, and so on: what one does now says more than what one did last week.
SESSION_WEIGHT = 2.0
DECAY = 0.8
# The query's share of the vector that is looked up: with it, taste decides among what answers the query.
QUERY_SHARE = 0.6


class PersonalRetriever:
    """Cosine similarity to the mean vector of what was taken, mixed with the query's. Empty for somebody unknown."""

    name = "personal"

    def __init__(self, index: VectorIndex, query_vector: QueryVectors) -> None:
        """`index` is another arm's, which keeps it up to date."""
        self._index = index
        self._query_vector = query_vector
        self._model = CustomersModel.of([])

    def load(self, model: bytes | None) -> None:
        """Swap the learned tastes in; None forgets them."""
        self._model = CustomersModel.load(model) if model else CustomersModel.of([])

    def retrieve(self, query: Query, depth: int) -> list[Scored]:
        taste = self._index.now().mean(self._taste(query))
        if taste is None:
            return []
        wanted = taste
        if query.text.strip():
            wanted = _unit(QUERY_SHARE * self._query_vector(query.text) + (1 - QUERY_SHARE) * taste)
        return self._index.nearest(wanted, depth, query.filters)

    def signals(self, query: Query) -> Mapping[str, float]:
        """How much is known of the session and of the customer."""
        return {
            "session": log1p(len(query.history)) / 3,
            "customer": log1p(len(self._model.taste(customer_of(query)))) / 3,
        }

    def _taste(self, query: Query) -> dict[ItemId, float]:
        """Item -> weight."""
        weights = dict(self._model.taste(customer_of(query)))
        for age, item_id in enumerate(reversed(query.history)):
            weights[item_id] = weights.get(item_id, 0.0) + SESSION_WEIGHT * DECAY**age
        return weights


def _unit(vector: Floats) -> Floats:
    length = np.linalg.norm(vector)
    unit: Floats = (vector / np.maximum(length, 1e-12)).astype(np.float32)
    return unit

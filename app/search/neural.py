"""The neural stage: a slow model reads the best candidates, if that is done in time."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.search.ranked import Ranked
from core.types import ArmReport, ArmStatus, Candidate, Query
from ranking.cross_encoder import blend
from ranking.features.neural import SCORE

log = logging.getLogger(__name__)


class Reader(Protocol):
    """Judges candidates by reading them."""

    @property
    def version(self) -> str: ...

    def score(self, query: Query, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """[len(candidates)] finite scores, higher is better."""
        ...


@dataclass(frozen=True, slots=True)
class NeuralStage:
    """Reads the first `top`, in a thread of its own: a model that is too slow keeps nobody else waiting.

    Searches for which there is no time left are taken out of the queue, so that it does not grow.
    """

    reader: Reader
    pool: Executor
    top: int
    weight: float
    deadline_ms: float

    def __call__(self, query: Query, ranked: Ranked, *, began: float, left_s: float = math.inf) -> Ranked:
        """The first `top` in a new order, or all as they were. `began`: when the search did, by time.perf_counter;
        `left_s`: what is left of the request's time.

        What was read becomes a feature, for which the ranker scores again: a model that was trained with it knows how
        much to trust it. The order is that of the blend of both scores.
        """
        asked, head = time.perf_counter(), ranked.candidates[: self.top]
        future = self.pool.submit(self.reader.score, query, head)
        status = ArmStatus.OK
        left_s = min(left_s, began + self.deadline_ms / 1000 - asked)
        try:
            ranked = self._read(ranked, future.result(timeout=max(0.0, left_s)))
        except Late:
            future.cancel()
            status = ArmStatus.TIMEOUT
        except Exception:  # the order is good without it
            log.exception("the neural stage failed on query %s; the order of the ranker stays", query.id)
            status = ArmStatus.ERROR
        took_ms = (time.perf_counter() - asked) * 1000
        found = len(head) if status is ArmStatus.OK else 0
        return replace(ranked, neural=ArmReport(status, len(head), found, took_ms))

    def _read(self, ranked: Ranked, read: NDArray[np.float64]) -> Ranked:
        """All that depends on the scores of the first candidates, which nothing else does."""
        if not np.isfinite(read).all():
            raise ValueError("the neural model gives scores that are not finite")
        rows = len(read)
        values, scores = ranked.features.values.copy(), ranked.scores.copy()
        if SCORE in ranked.features.names:
            values[:rows, ranked.features.names.index(SCORE)] = read
        features = replace(ranked.features, values=values)
        scores[:rows] = ranked.rankers[0].score(ranked.candidates[:rows], replace(features, values=values[:rows]))
        first = np.argsort(-blend(scores[:rows], read, self.weight), kind="stable")
        known = replace(ranked, scores=scores, features=features, version=f"{ranked.version} > {self.reader.version}")
        return known.reordered([*first.tolist(), *range(rows, len(scores))])

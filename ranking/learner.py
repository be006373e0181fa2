"""Learns to rank from clicks, again and again: gathers pages, trains in a child process, lets the gate decide."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.episodes import Episode
from core.errors import CorruptModel
from core.types import Floats
from ranking.features.arms import FUSED
from ranking.features.feature import Schema
from ranking.ltr import LambdaMart
from ranking.metrics import Judgments
from ranking.training.child import Training
from ranking.training.gate import Verdict, compare
from ranking.training.judged import JudgedPages
from ranking.training.parameters import Parameters
from ranking.training.rows import ClickedPage, Split, clicked_page, split

log = logging.getLogger(__name__)

_FEWEST_TO_STOP_BY = 200  # pages; fewer would stop by chance


class RankerLearner:
    """Retrains after `retrain_every` clicked episodes or a tenth more, on the newest `max_episodes` of them.

    A model is published only if the gate lets it pass: see ranking.training.gate. With `wait`, `snapshot` returns when
    the training has ended, so that models are a function of the log alone; otherwise other components are published
    meanwhile, and a later snapshot has the model.
    """

    component = "ranker"

    def __init__(
        self,
        schema: Schema,
        *,
        min_clicked: int,
        retrain_every: int,
        max_episodes: int,
        parameters: Parameters | None = None,
        memory_mib: int = 2_048,
        judgments: Judgments | None = None,
        current: Callable[[], bytes | None] | None = None,
        wait: bool = True,
    ) -> None:
        """`schema` of the features that are computed now; rows logged under another one are left out.

        `current` gives the model that serves; without it, the last one that passed is compared with.
        """
        self.schema = schema
        self._min_clicked = min_clicked
        self._retrain_every = retrain_every
        self._pages: deque[ClickedPage] = deque(maxlen=max_episodes)
        self.parameters = parameters or Parameters()
        self._memory_mib = memory_mib
        self._rated = JudgedPages(judgments or {}, schema)
        self._serving = current or (lambda: self._passed)
        self._wait = wait
        self._since_training = 0
        self._passed: bytes | None = None
        self._training: tuple[Training, Split] | None = None
        self.note = ""

    def learn(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._rated.add(episode)
            page = clicked_page(episode, self.schema)
            if page is not None:
                self._pages.append(page)
                self._since_training += 1

    @property
    def finished(self) -> bool:
        """Whether a training that went on in the background has ended, well or not."""
        return self._training is not None and not self._training[0].running

    def snapshot(self) -> bytes | None:
        """TrainingFailed when a training ended without a model."""
        if self._training is None and self._due():
            self._start()
        if self._training is None or not (self._wait or self.finished):
            return None
        (training, parts), self._training = self._training, None
        model = training.model()
        verdict = self.judge(model, parts)
        self.note = verdict.reason
        log.info("%s: %s", LambdaMart(model, self.schema).version, verdict.reason)
        if not verdict.passed:
            return None
        self._passed = model
        return model

    def judge(self, model: bytes, parts: Split) -> Verdict:
        """Against what serves now, which is reciprocal rank fusion before the first model."""
        return compare(LambdaMart(model, self.schema).predict, self._current_score(), parts, self._rated)

    def train(self, parameters: Parameters) -> tuple[Training, Split]:
        """On all pages there are, now; the caller waits for it, or stops it."""
        parts = split(list(self._pages))
        later = parts.stop if len(parts.stop) >= _FEWEST_TO_STOP_BY else []
        return Training(parts.fit, later, self.schema, parameters, memory_mib=self._memory_mib), parts

    @property
    def clicked(self) -> int:
        """Pages at hand."""
        return len(self._pages)

    def close(self) -> None:
        if self._training is not None:
            self._training[0].stop()

    def _due(self) -> bool:
        # A tenth of what is trained on, once that is more: the cost of all trainings together grows with the log only.
        again = max(self._retrain_every, len(self._pages) // 10)
        waited = self._since_training >= (again if self._serving() else self._min_clicked)
        return waited and len(self._pages) >= self._min_clicked

    def _start(self) -> None:
        self._since_training = 0
        self._training = self.train(self.parameters)

    def _current_score(self) -> Callable[[Floats], NDArray[np.float64]]:
        model = self._serving()
        if model:
            try:
                return LambdaMart(model, self.schema).predict
            except CorruptModel:  # it cannot serve, so rank fusion does
                log.warning("the current ranking model does not fit the features of today")
        return self._fused

    def _fused(self, features: Floats) -> NDArray[np.float64]:
        fused: NDArray[np.float64] = features[:, self.schema.names.index(FUSED)].astype(np.float64)
        return fused

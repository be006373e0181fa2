"""Sends simulated listeners to a running service and measures what they get, before, while and after it learns."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import count, islice
from typing import Any, Unpack

import numpy as np
import orjson
from bowerbird_client import Client, Event, SearchAnswer, SearchOptions

from app.schemas.items import ItemBody
from core.seeds import generator
from core.types import Item, ItemId
from ranking.metrics import ndcg_by_query
from simulation.clicks import PositionBasedClicks
from simulation.listeners import Search, read_listeners, traffic
from simulation.reviews import Reviewers

_BEST_GRADE = 3
_LISTENERS = 300
_AT_ONCE = 2
_POINTS = 10
_TIMEOUT_S = 30.0
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Served:
    """One answered search of a listener."""

    search: Search
    answer: SearchAnswer
    clicked: bool = False

    @property
    def shown(self) -> tuple[ItemId, ...]:
        return tuple(ItemId(hit.id) for hit in self.answer.hits)

    @property
    def retrieval_ms(self) -> float:
        return sum(arm.took_ms for arm in self.answer.arms.values())


class Listeners:
    """Listeners at a service's URL: they see nothing of it but its HTTP API, it sees nothing of them but what they do.

    They click on what they want, and like what turns out to please them.
    """

    def __init__(self, url: str, *, seed: int) -> None:
        self._client = Client(url, timeout_s=_TIMEOUT_S)
        items = catalogue()
        self._searches = read_listeners(_bundled("listeners.toml"), items)
        self._pleases = {item.id: share for item in items if (share := reviewers().pleases(item)) is not None}
        self._clicks = PositionBasedClicks(_BEST_GRADE)
        self._seed = seed

    def __enter__(self) -> Listeners:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def look(self, plan: str | None = None) -> dict[str, float]:
        """What every listener but the control would get now, by previews that leave no trace: see `_quality`."""
        policy = "champion" if plan is None else None
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            asked = pool.map(lambda search: self._ask(search, preview=True, plan=plan, policy=policy), self._searches)
            served = list(asked)
        return self._quality(served, [search.share for search in self._searches])

    def listen(self, searches: int, progress: Progress, *, rate: float = math.inf) -> list[dict[str, Any]]:
        """`searches` searches with clicks, at most `rate` a second; a point of the curve for each tenth."""
        began = time.monotonic()
        random = generator(self._seed, "listeners")
        stream = islice(traffic(self._searches, random), searches)
        curve: list[dict[str, Any]] = []
        with _cancelled_on_leaving(ThreadPoolExecutor(_AT_ONCE)) as pool:
            visits = pool.map(
                lambda job: self._visit(job[0], job[1], began + job[1] / rate, progress), zip(stream, count())
            )
            while done := list(islice(visits, max(1, searches // _POINTS))):
                arms = Counter(arm for served in done for arm in served.answer.plan.depths)
                curve.append(
                    {
                        "round": (curve[-1]["round"] if curve else 0) + len(done),
                        "nDCG@10": self._quality(done, [1.0] * len(done))["nDCG@10"],
                        "reward": float(np.mean([served.clicked for served in done])),
                        "arms": {arm: asked / len(done) for arm, asked in arms.items()},
                    }
                )
        return curve

    def _visit(self, search: Search, number: int, due: float, progress: Progress) -> Served:
        time.sleep(max(0.0, due - time.monotonic()))
        random = generator(self._seed, "listener", str(number))
        client = f"listener-{random.integers(_LISTENERS)}"
        served = self._ask(search, client_id=client, session_id=f"{client}-{number}")
        clicked = self._clicks.clicked(self._grades(served), random)
        if clicked:
            done = [(row, "click") for row in clicked] + [(row, "like") for row in self._liked(served, clicked, random)]
            hits = served.answer.hits
            self._client.send_events(
                Event.of(served.answer, hits[row], action, client_id=client) for row, action in done
            )
        progress(1)
        return replace(served, clicked=bool(clicked))

    def _ask(self, search: Search, **options: Unpack[SearchOptions]) -> Served:
        return Served(search, self._client.search(search.text, **options))

    def _liked(self, served: Served, clicked: Sequence[int], random: np.random.Generator) -> list[int]:
        """Of the clicked results, what the listener likes after hearing it; only of types that are reviewed."""
        return [row for row in clicked if random.random() < self._pleases.get(served.shown[row], 0.0)]

    def _grades(self, served: Served) -> list[int]:
        return [served.search.grades.get(item_id, 0) for item_id in served.shown]

    def _quality(self, answers: Sequence[Served], shares: Sequence[float]) -> dict[str, float]:
        """Weighted means: nDCG@10, probability of at least one click (`reward`), summed time of the asked arms."""
        judged = ndcg_by_query(
            {str(n): served.shown for n, served in enumerate(answers)},
            {str(n): {**served.search.grades} for n, served in enumerate(answers)},
        )
        clicked = [1 - np.prod(1 - self._clicks.probabilities(self._grades(served))) for served in answers]
        return {
            "nDCG@10": float(np.average([judged[str(n)] for n in range(len(answers))], weights=shares)),
            "reward": float(np.average(clicked, weights=shares)),
            "retrieval_ms": float(np.average([served.retrieval_ms for served in answers], weights=shares)),
        }


@contextmanager
def _cancelled_on_leaving(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """Whoever is interrupted, at whatever line, waits for what has begun and not for all that was planned."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def catalogue() -> list[Item]:
    """The bundled items; playlists and stations, which are invented, have invented reviews."""
    lines = _bundled("catalogue.ndjson").splitlines()
    return reviewers().reviewed(ItemBody.model_validate(orjson.loads(line)).item() for line in lines)


def reviewers() -> Reviewers:
    return Reviewers.read(_bundled("reviews.toml"))


def _bundled(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")

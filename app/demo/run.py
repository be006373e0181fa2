"""Sends simulated listeners to a running service and measures what they get, before, while and after it learns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import count, islice
from typing import Any

import httpx
import numpy as np
import orjson

from app.schemas.items import ItemBody
from core.seeds import generator
from core.types import Item, ItemId
from ranking.metrics import ndcg_by_query
from simulation.clicks import PositionBasedClicks
from simulation.listeners import Search, read_listeners, traffic

_BEST_GRADE = 3
_PAGE = 10
_LISTENERS = 300
_AT_ONCE = 2
_POINTS = 10
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Served:
    """One answered search of a listener."""

    search: Search
    query_id: str
    shown: tuple[ItemId, ...]
    arms: tuple[str, ...]
    retrieval_ms: float
    clicked: bool = False


class Listeners:
    """Listeners at a service's URL: they see nothing of it but its HTTP API, it sees nothing of them but clicks."""

    def __init__(self, url: str, *, seed: int) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        self._searches = read_listeners(files(__package__).joinpath("listeners.toml").read_text("utf-8"), catalogue())
        self._clicks = PositionBasedClicks(_BEST_GRADE)
        self._seed = seed

    def __enter__(self) -> Listeners:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def look(self, plan: str | None = None) -> dict[str, float]:
        """What every listener would get now, by previews that leave no trace: see `_quality`."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            served = list(pool.map(lambda search: self._ask(search, preview=True, plan=plan), self._searches))
        return self._quality(served, [search.share for search in self._searches])

    def listen(self, searches: int, progress: Progress) -> list[dict[str, Any]]:
        """`searches` searches with clicks; a point of the curve for each tenth."""
        random = generator(self._seed, "listeners")
        stream = islice(traffic(self._searches, random), searches)
        curve: list[dict[str, Any]] = []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            visits = pool.map(lambda job: self._visit(job[0], job[1], progress), zip(stream, count()))
            while done := list(islice(visits, max(1, searches // _POINTS))):
                arms = Counter(arm for served in done for arm in served.arms)
                curve.append(
                    {
                        "round": (curve[-1]["round"] if curve else 0) + len(done),
                        "nDCG@10": self._quality(done, [1.0] * len(done))["nDCG@10"],
                        "reward": float(np.mean([served.clicked for served in done])),
                        "arms": {arm: asked / len(done) for arm, asked in arms.items()},
                    }
                )
        return curve

    def _visit(self, search: Search, number: int, progress: Progress) -> Served:
        random = generator(self._seed, "listener", str(number))
        client = f"listener-{random.integers(_LISTENERS)}"
        served = self._ask(search, client_id=client, session_id=f"{client}-{number}")
        clicked = self._clicks.clicked(self._grades(served), random)
        if clicked:
            events = [_event(served, row, client) for row in clicked]
            self._client.post("/v1/events", json=events).raise_for_status()
        progress(1)
        return replace(served, clicked=bool(clicked))

    def _ask(self, search: Search, **fields: Any) -> Served:
        given = {name: value for name, value in fields.items() if value is not None}
        response = self._client.post("/v1/search", json={"query": search.text, "size": _PAGE, **given})
        answer = response.raise_for_status().json()
        return Served(
            search=search,
            query_id=answer["query_id"],
            shown=tuple(ItemId(hit["id"]) for hit in answer["hits"]),
            arms=tuple(answer["plan"]["depths"]),
            retrieval_ms=sum(arm["took_ms"] for arm in answer["arms"].values()),
        )

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


def _event(served: Served, row: int, client: str) -> dict[str, Any]:
    return {
        "event_id": f"{served.query_id}-{row}",
        "action_name": "click",
        "query_id": served.query_id,
        "client_id": client,
        "event_attributes": {"object": {"object_id": served.shown[row]}, "position": {"ordinal": row + 1}},
    }


def catalogue() -> list[Item]:
    """The bundled items."""
    text = files(__package__).joinpath("catalogue.ndjson").read_text("utf-8")
    return [ItemBody.model_validate(orjson.loads(line)).item() for line in text.splitlines()]

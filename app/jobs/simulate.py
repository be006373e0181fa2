"""Simulated traffic on rated queries, through the real pipeline, event log and learner, with a clock of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from app.jobs.evaluate import evaluate_pipeline, evaluate_rrf
from app.service import Page, Service
from app.settings import Settings
from app.wiring.learning import build_learning
from app.wiring.plans import ARMS
from app.wiring.service import build_service
from core.episodes import EventId, Feedback
from core.errors import InvalidInput
from core.seeds import generator
from core.types import Plan, Query, QueryId
from feedback.learner import LearningLoop
from ranking.metrics import Judgments, answerable
from simulation.clicks import ClickModel, PositionBasedClicks
from simulation.traffic import zipf

_PAGE = 10
_BETWEEN_SEARCHES_S = 20.0
_CLIENTS = 500
_LEARN_EVERY = 100
Progress = Callable[[int], object]
Watch = Callable[[Service], Mapping[str, Any]]


class _Clock:
    """Seconds that pass only when the simulation says so."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def simulate(
    settings: Settings,
    state: Path,
    traffic: Judgments,
    heldout: Judgments,
    *,
    rounds: int,
    seed: int,
    clicks: ClickModel | None = None,
    watch: Watch = lambda _: {},
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """`rounds` searches with clicks on traffic queries; the curve has ten points, held-out queries are never asked.

    Events and models go to `state`; the catalogue is the configured one. `clicks`: by default position-based ones.
    What `watch` tells of the service joins each point of the curve.
    """
    if both := sorted(set(traffic) & set(heldout)):
        raise InvalidInput(
            "heldout_in_traffic",
            f"{len(both)} held-out queries are in the traffic, {both[0]!r} first.",
            "Separate them.",
        )
    clock = _Clock()
    service = build_service(settings, state=state, clock=clock)
    learning = build_learning(settings, state=state)
    try:
        service.start()
        default = service.plans[settings.retrieval.default_plan]
        best = max(rating for ratings in traffic.values() for rating in ratings.values())
        return _run(
            service,
            learning,
            clock,
            default,
            traffic,
            heldout,
            rounds=rounds,
            seed=seed,
            clicks=clicks or PositionBasedClicks(best),
            watch=watch,
            progress=progress,
        )
    finally:
        learning.close()
        service.close()


def _run(
    service: Service,
    learning: LearningLoop,
    clock: _Clock,
    default: Plan,
    traffic: Judgments,
    heldout: Judgments,
    *,
    rounds: int,
    seed: int,
    clicks: ClickModel,
    watch: Watch,
    progress: Progress,
) -> dict[str, Any]:
    def quality(purpose: str) -> dict[str, dict[str, float]]:
        return {name: evaluate_pipeline(service, part, purpose=purpose) for name, part in parts.items()}

    random = generator(seed, "clicks")
    parts = {"traffic": traffic, "heldout": heldout}
    day0 = {name: evaluate_rrf(service, part, default) for name, part in parts.items()}
    curve = []
    plans: Counter[str] = Counter()
    arms: Counter[str] = Counter()
    clicked_pages = since = 0
    checkpoint = max(1, rounds // 10)
    for number, text in enumerate(islice(zipf(answerable(traffic), seed=seed), rounds), start=1):
        client = f"client-{random.integers(_CLIENTS)}"
        query = Query(QueryId(f"{seed}-{number}"), text, clock(), client_id=client, session_id=f"{client}-{number}")
        page = service.search(query, size=_PAGE)
        service.shadows.finish()
        grades = [traffic[text].get(item_id, 0) for item_id in page.impression.shown]
        events = _events(page, clicks.clicked(grades, random), clock())
        service.record(events)
        plans[page.answer.choice.plan.name] += 1
        arms.update(list(page.answer.choice.plan.depths))
        clicked_pages += bool(events)
        since += 1
        clock.now += _BETWEEN_SEARCHES_S
        if number % _LEARN_EVERY == 0:
            learning.step(clock())
            service.reload()
        if number % checkpoint == 0:
            curve.append(
                {
                    "round": number,
                    **quality(f"round{number}"),
                    "reward": clicked_pages / since,
                    "arms": {arm: arms[arm] / since for arm in ARMS},
                    "plans": {plan: count / since for plan, count in plans.most_common()},
                    "ranker": service.serving.ranker.version,
                    "policy": service.serving.policy.version,
                    **watch(service),
                }
            )
            plans, arms, clicked_pages, since = Counter(), Counter(), 0, 0
        progress(1)
    return {
        "day0": day0,
        "curve": curve,
        "rounds": rounds,
        "seed": seed,
        "queries": {"traffic": len(answerable(traffic)), "heldout": len(answerable(heldout))},
        "stated": "reward: share of the last tenth's searches with a click; arms: share that asked the arm",
    }


def _events(page: Page, clicked: list[int], now: float) -> list[Feedback]:
    query = page.answer.query
    return [
        Feedback(
            event_id=EventId(f"{query.id}-{row}"),
            query_id=query.id,
            item_id=page.impression.shown[row],
            action="click",
            time=now + 5 * (n + 1),
            received=now + 5 * (n + 1),
            client_id=query.client_id,
            session_id=query.session_id,
            position=row + 1,
        )
        for n, row in enumerate(clicked)
    ]

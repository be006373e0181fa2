"""A recorded world: real traffic through the real service once, with every arm's answer to every search kept.

One plan asks all arms for their first 100, simulated people click on the real ranking, and the real learner steps every
500 searches, so that memory, popularity and the rest learn meanwhile. Any plan that asks less can then be valued in
hindsight on exactly the same answers. The ranker is reciprocal rank fusion throughout: only retrieval differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.service import Page, Service
from app.settings import Settings, load_settings
from app.wiring.learning import build_learning
from app.wiring.plans import ARMS
from app.wiring.service import build_service
from benchmarks.bandit.kinds.traffic import BEST, Intent
from core.episodes import EventId, Feedback
from core.seeds import generator
from core.types import Plan, Query, QueryId
from simulation.clicks import PositionBasedClicks

ALL_ARMS = tuple(sorted(ARMS))
DEPTH = 100
DEPTHS = (10, 20, 50, 100)
_NEVER = 10**9
_LEARN_EVERY = 500
_BETWEEN_SEARCHES_S = 20.0
_CLIENTS = 500
_DEADLINE_MS = 10_000.0
_CALIBRATED = 200
_CLOCK_MS = 1e-3


@dataclass(frozen=True, slots=True)
class Recording:
    """T searches (`texts`), A arms (`arms`, by name), F context features.

    `found` [T, A, 100]: numbers of items, best first, -1 after the last; two numbers are equal when the items are.
    `context` [T, F] float32. `arm_ms` [A, 4]: what asking an arm takes at each of DEPTHS, the median when nothing
    else is asked, because arms that are asked together wait for one another. `pace` [T, A]: how many times its median
    an arm took in the recording.
    """

    texts: tuple[str, ...]
    arms: tuple[str, ...]
    names: tuple[str, ...]
    items: tuple[str, ...]
    found: NDArray[np.int32]
    context: NDArray[np.float32]
    arm_ms: NDArray[np.float64]
    pace: NDArray[np.float64]

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            texts=np.array(self.texts),
            arms=np.array(self.arms),
            names=np.array(self.names),
            items=np.array(self.items),
            found=self.found,
            context=self.context,
            arm_ms=self.arm_ms,
            pace=self.pace,
        )

    @classmethod
    def load(cls, path: Path) -> Recording:
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                tuple(stored["texts"].tolist()),
                tuple(stored["arms"].tolist()),
                tuple(stored["names"].tolist()),
                tuple(stored["items"].tolist()),
                stored["found"],
                stored["context"],
                stored["arm_ms"],
                stored["pace"],
            )


class _Clock:
    """Seconds that pass only when the recording says so, from a Monday morning on."""

    def __init__(self) -> None:
        self.now = 1_767_600_000.0

    def __call__(self) -> float:
        return self.now


def record(
    data_dir: Path, state: Path, searches: Sequence[Intent], *, seed: int, progress: Callable[[int], object]
) -> Recording:
    """Serve `searches` in order from the catalogue in `data_dir`; events and models go to the empty folder `state`."""
    settings = _settings(data_dir)
    clock = _Clock()
    service, learning = build_service(settings, state=state, clock=clock), build_learning(settings, state=state)
    clicks, random = PositionBasedClicks(BEST), generator(seed, "recorded clicks")
    numbers: dict[str, int] = {}
    found = np.full((len(searches), len(ALL_ARMS), DEPTH), -1, dtype=np.int32)
    took_ms = np.zeros((len(searches), len(ALL_ARMS)), dtype=np.float32)
    context: list[NDArray[np.float32]] = []
    queries: list[Query] = []
    try:
        service.start()
        for number, intent in enumerate(searches):
            client = f"client-{random.integers(_CLIENTS)}"
            query = Query(QueryId(f"{seed}-{number}"), intent.text, clock(), client_id=client)
            page = service.search(query)
            queries.append(query)
            _note(page, found[number], took_ms[number], numbers)
            context.append(page.answer.context.values)
            grades = [intent.grades.get(item_id, 0) for item_id in page.impression.shown]
            service.record(_events(page, clicks.clicked(grades, random)))
            clock.now += _BETWEEN_SEARCHES_S
            if (number + 1) % _LEARN_EVERY == 0:
                learning.step(clock())
                service.reload()
            progress(number + 1)
        names = page.answer.context.names
        arm_ms = _calibrate(service, queries[-_CALIBRATED:])
    finally:
        learning.close()
        service.close()
    texts = tuple(intent.text for intent in searches)
    pace = took_ms.astype(np.float64) / np.maximum(np.median(took_ms, axis=0), _CLOCK_MS)
    return Recording(texts, ALL_ARMS, names, tuple(numbers), found, np.array(context), arm_ms, pace)


def _settings(data_dir: Path) -> Settings:
    """All arms at 100 for every search, no shadows, no ranking model, and a deadline that nobody misses."""
    return load_settings(
        overrides={
            "service": {"data_dir": str(data_dir)},
            "policy": {"kind": "fixed"},
            "retrieval": {
                "deadline_ms": _DEADLINE_MS,
                "default_plan": "everything",
                "plans": {"everything": dict.fromkeys(ALL_ARMS, DEPTH)},
            },
            "shadow": {"share": 0.0},
            "ranking": {"min_clicked": _NEVER},
        }
    )


def _note(page: Page, found: NDArray[np.int32], took_ms: NDArray[np.float32], numbers: dict[str, int]) -> None:
    """Into found [A, 100] and took_ms [A]: the answer of every arm."""
    rows = {arm: row for row, arm in enumerate(ALL_ARMS)}
    for candidate in page.answer.candidates:
        number = numbers.setdefault(candidate.item.id, len(numbers))
        for arm, rank in candidate.ranks.items():
            found[rows[arm], rank - 1] = number
    for arm, report in page.answer.arms.items():
        took_ms[rows[arm]] = report.took_ms


def _events(page: Page, clicked: Iterable[int]) -> list[Feedback]:
    query, shown = page.answer.query, page.impression.shown
    return [
        Feedback(
            event_id=EventId(f"{query.id}-{row}"),
            query_id=query.id,
            item_id=shown[row],
            action="click",
            time=query.time + 5 * (n + 1),
            received=query.time + 5 * (n + 1),
            client_id=query.client_id,
            position=row + 1,
        )
        for n, row in enumerate(clicked)
    ]


def _calibrate(service: Service, queries: Sequence[Query]) -> NDArray[np.float64]:
    """[A, 4] median milliseconds of every arm at each of DEPTHS, asked alone; query vectors are at hand."""
    times = np.zeros((len(queries), len(ALL_ARMS), len(DEPTHS)))
    for n, query in enumerate(queries):
        for row, arm in enumerate(ALL_ARMS):
            for column, depth in enumerate(DEPTHS):
                answer = service.pipeline.answer(query, service.serving, plan=Plan(arm, {arm: depth}))
                times[n, row, column] = answer.arms[arm].took_ms
    medians: NDArray[np.float64] = np.median(times, axis=0)
    return np.maximum.accumulate(np.maximum(medians, _CLOCK_MS), axis=1)

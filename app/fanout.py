"""Asks the arms of a plan at the same time, each with the same deadline; who is late or fails is left out."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Executor, wait

from core.protocols import Retriever
from core.types import ArmReport, ArmStatus, Plan, Query, Scored

log = logging.getLogger(__name__)


def fan_out(
    pool: Executor, arms: Mapping[str, Retriever], plan: Plan, query: Query, *, deadline_ms: float
) -> tuple[dict[str, list[Scored]], dict[str, ArmReport]]:
    """The answers of the arms that made it, and a report for every asked arm."""
    futures = {arm: pool.submit(_timed, arms[arm], query, depth) for arm, depth in plan.depths.items()}
    wait(futures.values(), timeout=deadline_ms / 1000)
    answers: dict[str, list[Scored]] = {}
    reports: dict[str, ArmReport] = {}
    for arm, future in futures.items():
        depth = plan.depths[arm]
        if not future.done():
            future.cancel()
            reports[arm] = ArmReport(ArmStatus.TIMEOUT, depth, 0, deadline_ms)
        elif error := future.exception():
            log.error("arm %s failed on query %s", arm, query.id, exc_info=error)
            reports[arm] = ArmReport(ArmStatus.ERROR, depth, 0, 0.0)
        else:
            answers[arm], took_ms = future.result()
            reports[arm] = ArmReport(ArmStatus.OK, depth, len(answers[arm]), took_ms)
    return answers, reports


def _timed(arm: Retriever, query: Query, depth: int) -> tuple[list[Scored], float]:
    started = time.perf_counter()
    found = arm.retrieve(query, depth)
    return found, (time.perf_counter() - started) * 1000

"""Requests at a pace, from threads with a connection each."""

from __future__ import annotations

import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.serve.connection import Connection
from benchmarks.timing import percentiles


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` requests a second, whatever the answers take; 0: each connection asks as soon as it is answered.

    It lasts `seconds`. What was due in the first `warm_s` of them is asked and not counted.
    """

    connections: int
    seconds: float
    rate: float = 0.0
    warm_s: float = 0.0


def arguments(said: str | None, *, rated: str, connections: int) -> ArgumentParser:
    """Whom to ask what, and at which pace; `rated` says of what there are so many a second."""
    parser = ArgumentParser(description=said, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help=rated)
    parser.add_argument("--connections", type=int, default=connections)
    parser.add_argument("--seconds", type=float, default=20.0)
    return parser


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one request: when it was due and when it was answered, in seconds since the start; what was wrong with it."""

    due: float
    ended: float
    wrong: str = ""


@dataclass
class Drive:
    """`body(n)` is what request n sends, None when there is no more; `wrong(status, answer)` is empty when all is well.

    A request is late when no connection was free, and that time counts: latencies begin when a request was due.
    """

    url: str
    path: str
    pace: Pace
    body: Callable[[int], bytes | None]
    wrong: Callable[[int, bytes], str]
    samples: list[Sample] = field(default_factory=list)

    def run(self) -> list[Sample]:
        numbers, started = count(), time.perf_counter()
        threads = [Thread(target=self._work, args=(numbers, started)) for _ in range(self.pace.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.samples

    def _work(self, numbers: Iterator[int], started: float) -> None:
        with Connection(self.url) as connection:
            for n in numbers:
                body = self.body(n)
                due = n / self.pace.rate if self.pace.rate else time.perf_counter() - started
                # Far behind its plan it ends as well: a load takes twice its time at most.
                if body is None or due >= self.pace.seconds or _since(started) > 2 * self.pace.seconds:
                    return
                time.sleep(max(0.0, due - _since(started)))
                wrong = self._ask(connection, body)
                self.samples.append(Sample(due, _since(started), wrong))

    def _ask(self, connection: Connection, body: bytes) -> str:
        try:
            status, answer = connection.post(self.path, body)
        except OSError as error:
            return f"{type(error).__name__}: {error}"
        return self.wrong(status, answer)


def summary(samples: Sequence[Sample], pace: Pace) -> dict[str, Any]:
    """Rate and latencies of the good ones, how many were wrong, and what was."""
    counted = [sample for sample in samples if sample.due >= pace.warm_s]
    good = [sample for sample in counted if not sample.wrong]
    bad = [sample.wrong for sample in samples if sample.wrong]
    unsent = max(0, int(pace.rate * pace.seconds) - len(samples))
    found: dict[str, Any] = {"answered": len(good), "errors": len(bad) + unsent, "unsent": unsent, "wrong": bad[:3]}
    if len(good) < 2:
        return found
    milliseconds = [(sample.ended - sample.due) * 1000 for sample in good]
    lasted = max(sample.ended for sample in good) - min(sample.due for sample in good)
    return {**found, **percentiles(milliseconds), "max_ms": max(milliseconds), "per_s": len(good) / lasted}


def _since(started: float) -> float:
    return time.perf_counter() - started

"""Searches at a fixed rate, or as fast as they are answered; figures as JSON on stdout.

`python -m benchmarks.serve.load --url URL --queries FILE`, a text a line. A process of its own, so that all it takes
from the service is its share of the cores.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.serve.drive import Drive, Pace, arguments, summary

_CLIENTS = 1_000
_REPEATING = 100  # texts that are asked again and again
# What answers are counted by. To look for bytes costs less than to read JSON.
MARKS = {
    "degraded": b'"degraded":true',
    "unlogged": b'"logged":false',
    "learned_policy": b'"policy":"coverage-',
    "learned_ranker": b'"ranker":"lambdamart-',
}


def search_load(url: str, texts: Sequence[str], pace: Pace) -> dict[str, Any]:
    """Each of the texts once, in this order, and how many answers bore which of MARKS."""
    bodies = [
        json.dumps({"query": text, "client_id": f"load-{n % _CLIENTS}", "session_id": f"load-{n % _CLIENTS}"}).encode()
        for n, text in enumerate(texts)
    ]
    marks = Counter[str]()

    def wrong(status: int, answer: bytes) -> str:
        if status != 200:
            return f"{status} {answer[:200].decode(errors='replace')}"
        marks.update(name for name, mark in MARKS.items() if mark in answer)
        return ""

    def body(n: int) -> bytes | None:
        return bodies[n] if n < len(bodies) else None

    busy = time.process_time()
    samples = Drive(url, "/v1/search", pace, body, wrong).run()
    return {
        **summary(samples, pace),
        **{name: marks[name] for name in MARKS},
        "asked": len(samples),
        "connections": pace.connections,
        "own_cpu_s": time.process_time() - busy,
    }


def repeated(texts: Sequence[str], share: float, seed: int) -> Iterator[str]:
    """This share of searches asks one of the first hundred texts, the others the remaining ones in turn."""
    draw, again, new = random.Random(seed), texts[:_REPEATING], iter(texts[_REPEATING:])
    while True:
        if draw.random() < share:
            yield draw.choice(again)
        elif (text := next(new, None)) is not None:
            yield text
        else:
            return


def main() -> None:
    parser = arguments(__doc__, rated="searches a second; 0: as fast as they are answered", connections=16)
    parser.add_argument("--warm", type=float, default=2.0, help="seconds at the beginning that do not count")
    parser.add_argument("--repeated", type=float, default=0.0, help="share of searches that ask one of 100 texts")
    options = parser.parse_args()
    if not 0 <= options.repeated < 1:
        parser.error(f"--repeated is {options.repeated}; it is a share from 0 to less than 1")
    texts = options.queries.read_text(encoding="utf-8").splitlines()
    if options.repeated:
        texts = list(repeated(texts, options.repeated, 1))
    pace = Pace(options.connections, options.seconds, options.rate, options.warm)
    print(json.dumps(search_load(options.url, texts, pace)))


if __name__ == "__main__":
    main()

"""Batches of feedback at a fixed rate, or as fast as they are acknowledged; figures as JSON on stdout.

`python -m benchmarks.serve.events --url URL --queries FILE`. First it asks the texts of the file, so that there is
something to click on; then it prints a line, waits for one on stdin, and sends.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from benchmarks.serve.connection import Connection
from benchmarks.serve.drive import Drive, Pace, arguments, summary

BATCH = 100
Shown = Sequence[tuple[str, str, int]]  # (query_id, item_id, position)


def shown_items(url: str, texts: Sequence[str]) -> Shown:
    """What these searches show."""
    shown = []
    with Connection(url) as connection:
        for n, text in enumerate(texts):
            asked = {"query": text, "client_id": f"events-{n}"}
            status, answer = connection.post("/v1/search", json.dumps(asked).encode())
            if status != 200:
                raise RuntimeError(f"{status} {answer[:200]!r}")
            found = json.loads(answer)
            shown += [(found["query_id"], hit["id"], hit["position"]) for hit in found["hits"]]
    return shown


def event_load(url: str, shown: Shown, pace: Pace) -> dict[str, Any]:
    """`events_per_s`: acknowledged ones. An answer that has not stored all of a batch is wrong."""
    run = uuid.uuid4().hex

    def body(n: int) -> bytes:
        first = n * BATCH
        events = [_event(f"{run}-{first + k}", *shown[(first + k) % len(shown)]) for k in range(BATCH)]
        return f"[{','.join(events)}]".encode()

    def wrong(status: int, answer: bytes) -> str:
        good = status == 200 and json.loads(answer)["stored"] == BATCH
        return "" if good else f"{status} {answer[:200].decode(errors='replace')}"

    busy = time.process_time()
    samples = Drive(url, "/v1/events", pace, body, wrong).run()
    found = summary(samples, pace)
    return {
        **found,
        "events_per_s": BATCH * found.get("per_s", 0.0),
        "acknowledged": BATCH * sum(not sample.wrong for sample in samples),
        "connections": pace.connections,
        "rate": pace.rate,
        "own_cpu_s": time.process_time() - busy,
    }


def _event(event_id: str, query_id: str, item_id: str, position: int) -> str:
    """A tenth are clicks. Ids have nothing that JSON would write otherwise."""
    action = "click" if event_id.endswith("0") else "view"
    return (
        f'{{"action_name":"{action}","query_id":"{query_id}","event_id":"{event_id}","event_attributes":'
        f'{{"object":{{"object_id":"{item_id}"}},"position":{{"ordinal":{position}}}}}}}'
    )


def main() -> None:
    parser = arguments(__doc__, rated="batches a second; 0: as fast as they are acknowledged", connections=4)
    options = parser.parse_args()
    shown = shown_items(options.url, options.queries.read_text(encoding="utf-8").splitlines())
    print(json.dumps({"shown": len(shown)}), flush=True)
    input()
    print(json.dumps(event_load(options.url, shown, Pace(options.connections, options.seconds, options.rate))))


if __name__ == "__main__":
    main()

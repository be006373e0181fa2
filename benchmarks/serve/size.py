"""One size of catalogue: latency at 50 searches a second, stages, searches a second at saturation, memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.serve.run import SIZES, Run, load
from benchmarks.serve.stages import WHOLE, between, snapshot
from benchmarks.tables import Cell, table

RATE = 50.0
_CONNECTIONS = (4, 8, 16)
_REPEATED = 0.8
_CPU = ("CPU ms of the service", "of the learner", "of the load")


def measure(run: Run, size: str) -> dict[str, Any]:
    """Every text is new, but at `repeated`, where four in five searches ask one of a hundred texts."""
    warm, steady, *fast, again = run.texts(size, [RATE, RATE, *[0.0] * (len(_CONNECTIONS) + 1)], 21)
    with run.server(size) as (server, prepared):
        load(server, warm, rate=RATE, seconds=min(10.0, run.seconds), warm=0)  # what first calls load
        before = snapshot(server.get("/metrics").text)
        calm = load(server, steady, rate=RATE, seconds=run.seconds)
        stages = between(before, snapshot(server.get("/metrics").text))
        memory = server.memory()
        saturated = [
            load(server, texts, connections=connections, seconds=run.seconds)
            for texts, connections in zip(fast, _CONNECTIONS, strict=True)
        ]
        best = max(saturated, key=_good_rate)
        repeated = load(server, again, connections=best["connections"], seconds=run.seconds, repeated=_REPEATED)
    figures = {"p50_ms": calm["p50_ms"], "p99_ms": calm["p99_ms"], "qps": _good_rate(best)}
    figures |= {"qps_repeated": _good_rate(repeated), "rss_gib": memory["all_gib"]}
    return {
        "items": SIZES[size],
        "load_s": run.seconds,
        "prepared": prepared,
        "calm": calm,
        "stages": stages,
        "memory": memory,
        "saturated": saturated,
        "repeated": repeated,
        "figures": {f"{size}.{name}": value for name, value in figures.items()},
    }


def section(found: Mapping[str, Any]) -> Sequence[str]:
    prepared, memory = found["prepared"], found["memory"]
    loads = [("50 a second", found["calm"]), *[("saturated", each) for each in found["saturated"]]]
    rows: list[list[Cell]] = [
        [name, str(each["connections"]), str(each["answered"]), str(each["errors"]), str(each["degraded"]),
         f"{each['per_s']:.0f}", f"{each['p50_ms']:.1f}", f"{each['p99_ms']:.1f}",
         *(f"{each['cpu_ms'][who]:.1f}" for who in ("service", "learner")),
         f"{1000 * each['own_cpu_s'] / each['asked']:.1f}"]
        for name, each in [*loads, ("saturated, 80 % repeated", found["repeated"])]
    ]  # fmt: skip
    return [
        f"## {found['items']:,} items",
        f"Each load lasts {found['load_s']:g} s. Processes that search: {prepared.get('processes', 1)}. Policy and "
        f"ranker were learned from {prepared['clicks']} clicks in "
        f"{prepared['searches']:,} searches, and were in every answer. Filling took {prepared['fill_s']:.0f} s, the "
        f"first start with all indexes {prepared['first_start_s']:.0f} s. The learner works beside the service, on the "
        "searches of these loads as on others; they begin when it has read the log again. Processor times are "
        "per search; the load has them from the same cores.",
        "",
        *table(
            ["load", "connections", "answered", "errors", "an arm late", "a second", "p50 ms", "p99 ms", *_CPU], rows
        ),
        "",
        f"Memory under 50 a second: {memory['service_gib']:.2f} GiB of the service (most so far "
        f"{memory['most_gib']:.2f}), {memory['all_gib']:.2f} GiB with its learner "
        "and the processes that search beside it.",
        "",
        f"Where the time goes, at 50 searches a second, with {_arms(found['stages']):.1f} arms a search. Arms run side "
        "by side, within the stage `arms`; a median is interpolated within a bucket of the histogram:",
        "",
        *table(["stage", "calls", "mean ms", "median ms"], _budget(found["stages"])),
        "",
    ]


def _arms(stages: Mapping[str, Mapping[str, float]]) -> float:
    """Calls of arms a search, those for shadow traffic not among them."""
    return sum(found["calls"] for name, found in stages.items() if name.startswith("arm ")) / stages[WHOLE]["calls"]


def _budget(stages: Mapping[str, Mapping[str, float]]) -> list[list[Cell]]:
    whole = [name for name in stages if name == WHOLE]
    arms = sorted(name for name in stages if name.startswith("arm "))
    others = [name for name in stages if name not in (*whole, *arms)]
    at = others.index("arms") + 1 if "arms" in others else len(others)
    return [
        [name, f"{stages[name]['calls']:.0f}", f"{stages[name]['mean_ms']:.2f}", f"{stages[name]['median_ms']:.2f}"]
        for name in [*others[:at], *arms, *others[at:], *whole]
    ]


def _good_rate(found: Mapping[str, Any]) -> float:
    """0 where a search failed: that is no rate that the service can hold."""
    return 0.0 if found["errors"] else float(found["per_s"])

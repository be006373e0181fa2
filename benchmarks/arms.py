"""Every arm by itself: judged quality on three collections, known items, and speed on a synthetic catalogue.

`make bench-arms` writes benchmarks/results/arms.json and docs/benchmarks/arms.md. The data sets are read from
$BOWERBIRD_DATA (default ../shared/data).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.service import Service
from app.settings import load_settings
from app.wiring.plans import ARMS
from app.wiring.service import build_service
from benchmarks.collections import COLLECTIONS, ROOT, Collection, write_ratings
from benchmarks.known_items import known_items
from benchmarks.loop import bowerbird, commit
from benchmarks.predicted_queries import hit_rates
from benchmarks.speed import SIZES, section, speed, summary
from benchmarks.tables import replace_block, table
from core.types import ItemId, Plan, Query, QueryId
from ranking.metrics import read_judgments

_KNOWN_ARMS = ("lexical", "structured", "vector", "sparse", "memory")


def quality(folder: Path, collection: Collection) -> dict[str, Any]:
    """What `bowerbird evaluate retrieval` says of a fresh index."""
    bowerbird(folder, "ingest", str(collection.file), "--mapping", str(collection.mapping))
    ratings = write_ratings(collection.ratings(), folder / "ratings.csv")
    tuning = []
    if others := collection.other_ratings():
        tuning = ["--tuning-qrels", str(write_ratings(others, folder / "others.csv"))]
    found: dict[str, Any] = bowerbird(folder, "evaluate", "retrieval", "--qrels", str(ratings), *tuning)
    return found


def known(folder: Path, *, count: int) -> dict[str, dict[str, float]]:
    """Kind of query -> arm -> share of the looked-for items within the first ten; `union`: of any arm's."""
    service = build_service(load_settings(overrides={"service": {"data_dir": str(folder)}}))
    service.start()
    try:
        made = known_items(list(service.items.values()), count=count)
        return {kind: _success(service, queries) for kind, queries in made.items()}
    finally:
        service.close()


def _success(service: Service, queries: Sequence[tuple[str, ItemId]]) -> dict[str, float]:
    plan = Plan("known", dict.fromkeys(_KNOWN_ARMS, 10))
    hits: dict[str, list[bool]] = {arm: [] for arm in (*_KNOWN_ARMS, "union")}
    for text, wanted in queries:
        answer = service.pipeline.answer(Query(QueryId("known"), text, 0.0), service.serving, plan=plan)
        ranks: Mapping[str, int] = next((c.ranks for c in answer.candidates if c.item.id == wanted), {})
        for arm in _KNOWN_ARMS:
            hits[arm].append(arm in ranks)
        hits["union"].append(bool(ranks))
    return {"queries": len(queries), **{arm: statistics.fmean(found) for arm, found in hits.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--known", type=int, default=1_000, help="how many products to look for")
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES), help="synthetic catalogues")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for building a rival, and for asking it")
    options = parser.parse_args()
    judged: dict[str, Any] = {}
    for name, collection in COLLECTIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            judged[name] = quality(Path(folder), collection)
            if name == "chorus":
                predicted = hit_rates(Path(folder), read_judgments(Path(folder) / "ratings.csv"))
                found = known(Path(folder), count=options.known)
    times = speed(options.sizes, limit_s=options.limit)
    result = {
        "figures": {"memory.prior.hit_rate": predicted["whole_query"], **figures(judged, found, times)},
        "quality": judged,
        "predicted": predicted,
        "known": found,
        "speed": times,
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }
    target = ROOT / "benchmarks" / "results" / "arms.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (ROOT / "docs" / "benchmarks" / "arms.md").write_text(page(result), encoding="utf-8")
    replace_block(ROOT / "README.md", "bench-arms", summary(times))
    print(json.dumps(result["figures"], indent=1))


def figures(judged: Mapping[str, Any], found: Mapping[str, Any], times: Mapping[str, Any]) -> dict[str, float]:
    systems = {name: report["systems"] for name, report in judged.items()}
    best_single = max(systems["scifact"][arm]["nDCG@10"] for arm in ARMS)
    return {
        **{f"{name}.lexical.nDCG@10": systems[name]["lexical"]["nDCG@10"] for name in judged},
        "scifact.fusion_ratio": systems["scifact"]["fusion"]["nDCG@10"] / best_single,
        "scifact.union.R@100": judged["scifact"]["union_recall"],
        "chorus.union.R@100": judged["chorus"]["union_recall"],
        "known.exact.lexical.S@10": found["exact"]["lexical"],
        "known.typo1.lexical.S@10": found["typo1"]["lexical"],
        "known.union.S@10": statistics.fmean(kind["union"] for kind in found.values()),
        **times["figures"],
    }


def page(result: Mapping[str, Any]) -> str:
    """The page in docs/, generated from the JSON."""
    lines = [
        "# Every arm by itself",
        "",
        "Generated by `make bench-arms`; do not edit.",
        f"{result['date']}, commit {result['commit']}, {result['machine']['cores']} cores.",
        "",
        "Before any click: arms that learn from people alone (related, personal) find nothing yet.",
        "",
    ]
    for name, report in result["quality"].items():
        measures = list(report["systems"]["rrf"])
        lines += [f"## {name}", "", f"{report['queries']} queries. {report['stated']}.", ""]
        lines += table(["system", *measures], [[s, *values.values()] for s, values in report["systems"].items()])
        lines += ["", f"Recall of all arms' first hundreds together: {report['union_recall']:.3f}.", ""]
    arms = [*_KNOWN_ARMS, "union"]
    lines += ["## Known items", "", "Share of the looked-for products within the first ten.", ""]
    rows = [[kind, *(found[arm] for arm in arms)] for kind, found in result["known"].items()]
    lines += [*table(["query", *arms], rows), ""]
    predicted = result["predicted"]
    lines += [
        "## Predicted queries",
        "",
        f"chorus, before any click: all words of {predicted['whole_query']:.1%} of the rated queries are predicted for",
        f"one relevant item; one is in the memory's answer to {predicted['answer']:.1%}. Of the words that a relevant",
        f"item does not say itself, {predicted['new_terms']:.1%} are predicted for it.",
        "",
    ]
    return "\n".join([*lines, *section(result["speed"])])


if __name__ == "__main__":
    main()

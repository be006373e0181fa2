"""Every arm by itself: judged quality on three collections, known items, and speed on a synthetic catalogue.

`make bench-arms` writes benchmarks/results/arms.json, docs/benchmarks/arms.md and a table of the README. The data sets
are read from $BOWERBIRD_DATA (default ../shared/data). `--only` runs some sections and keeps what the file has of the
others.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from app.service import Service
from app.settings import load_settings
from app.wiring.plans import ARMS
from app.wiring.service import build_service
from benchmarks import speed
from benchmarks.collections import COLLECTIONS, ROOT, Collection, write_ratings
from benchmarks.evidence import Evidence, Section
from benchmarks.known_items import known_items
from benchmarks.loop import bowerbird
from benchmarks.predicted_queries import hit_rates
from benchmarks.tables import replace_block, table
from core.types import ItemId, Plan, Query, QueryId
from ranking.metrics import read_judgments

_KNOWN_ARMS = ("lexical", "structured", "vector", "sparse", "memory")
_PRODUCTS = "chorus"  # where items are looked for, and queries predicted
_WANTED = {
    "chorus.lexical.nDCG@10": "0.737 or more",
    "chorus.union.R@100": "0.97 or more",
    "memory.prior.hit_rate": "reported",
    "known.exact.lexical.S@10": "0.99 or more",
    "known.typo1.lexical.S@10": "0.90 or more",
    "known.union.S@10": "reported",
    "scifact.lexical.nDCG@10": "0.674 or more",
    "scifact.fusion_ratio": "1.05 or more",
    "scifact.union.R@100": "0.97 or more",
    "cranfield.lexical.nDCG@10": "reported",
    "speed.lexical.100k.p50_ms": "1.5 or less",
    "speed.vector.100k.p50_ms": "1.5 or less",
    "speed.vector.100k.recall": "0.98 or more",
    "speed.structured.p50_ms": "2 or less",
    "speed.memory.p50_ms": "0.3 or less",
    "speed.lexical.1m.p50_ms": "reported",
    "speed.vector.1m.p50_ms": "10 or less",
    "speed.encode.p50_ms": "5 or less",
    "start.100k.seconds": "less than 5",
}


def judged(name: str, *, products: int) -> dict[str, Any]:
    """What `bowerbird evaluate retrieval` says of one of the COLLECTIONS; of products also whether each of so many is
    found by what people would type, and whether rated queries are predicted."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        report = quality(folder, COLLECTIONS[name])
        systems = report["systems"]
        figures = {
            f"{name}.lexical.nDCG@10": systems["lexical"]["nDCG@10"],
            f"{name}.union.R@100": report["union_recall"],
        }
        if name != _PRODUCTS:
            best = max(systems[arm]["nDCG@10"] for arm in ARMS)
            return {**report, "figures": {**figures, f"{name}.fusion_ratio": systems["fusion"]["nDCG@10"] / best}}
        predicted = hit_rates(folder, read_judgments(folder / "ratings.csv"))
        found = known(folder, count=products)
    figures |= {
        "memory.prior.hit_rate": predicted["whole_query"],
        "known.exact.lexical.S@10": found["exact"]["lexical"],
        "known.typo1.lexical.S@10": found["typo1"]["lexical"],
        "known.union.S@10": statistics.fmean(kind["union"] for kind in found.values()),
    }
    return {**report, "predicted": predicted, "known": found, "figures": figures}


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


def told(name: str, found: Mapping[str, Any]) -> list[str]:
    """The part of the page about one collection."""
    measures = list(found["systems"]["rrf"])
    lines = [
        f"## {name}",
        "",
        f"{found['queries']} queries. {found['stated']}. Before any click: arms that learn from ",
    ]
    lines[-1] += "people alone (related, personal) find nothing yet."
    lines += ["", *table(["system", *measures], [[s, *values.values()] for s, values in found["systems"].items()])]
    lines += ["", f"Recall of all arms' first hundreds together: {found['union_recall']:.3f}.", ""]
    if "known" not in found:
        return lines
    arms = [*_KNOWN_ARMS, "union"]
    rows = [[kind, *(shares[arm] for arm in arms)] for kind, shares in found["known"].items()]
    predicted = found["predicted"]
    return [
        *lines,
        f"### Known items of {name}",
        "",
        "Share of the looked-for products within the first ten.",
        "",
        *table(["query", *arms], rows),
        "",
        f"### Predicted queries of {name}",
        "",
        f"Before any click: all words of {predicted['whole_query']:.1%} of the rated queries are predicted for one",
        f"relevant item; one is in the memory's answer to {predicted['answer']:.1%}. Of the words that a relevant item",
        f"does not say itself, {predicted['new_terms']:.1%} are predicted for it.",
        "",
    ]


def main() -> None:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--known", type=int, default=1_000, help="how many products to look for")
    options.add_argument("--limit", type=float, default=600.0, help="seconds for building a rival, and for asking it")
    given, _ = options.parse_known_args()
    collections = {
        name: Section(partial(judged, name, products=given.known), partial(told, name)) for name in COLLECTIONS
    }
    sizes = {
        size: Section(partial(speed.measure, size, limit_s=given.limit), partial(speed.section, size))
        for size in speed.SIZES
    }
    evidence = Evidence(
        name="arms",
        title="Every arm by itself",
        sections={**collections, **sizes, "start": Section(speed.starting, speed.started)},
        wanted=_WANTED,
    )
    found = evidence.main(__doc__, options)
    replace_block(
        ROOT / "README.md", "bench-arms", speed.summary({size: found[size] for size in sizes if size in found})
    )


if __name__ == "__main__":
    main()

"""How well the memory predicts queries before any click: hit rates on rated queries, and what it adds to fusion.

Reads chorus-icecat from $BOWERBIRD_DATA (default ../shared/data). `--cache` names the cache folder of a data directory
that has ingested it; with it the fusion with the other arms is measured too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.ingest import read_items, read_mapping
from core.protocols import Retriever
from core.text import query_key, query_tokens, tokens
from core.types import Item, ItemId, Query, QueryId
from ranking.metrics import Judgments, answerable, measure, read_judgments
from ranking.rrf import RRF_K
from retrievers.document import labels, prose
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.encoder import BUNDLED, open_encoder
from retrievers.lexical import LexicalRetriever
from retrievers.memory import MemoryRetriever
from retrievers.vector import VectorRetriever

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("BOWERBIRD_DATA", "../shared/data")) / "chorus-icecat"
RATINGS = "Broad_Query_Set_rated.csv.gz"
DEPTH = 100
_CATEGORY = "product_type"  # the attribute that `category_queries` hides
_FEWEST = 5


def prior_hit_rate(memory: MemoryRetriever, items: Sequence[Item], judgments: Judgments) -> dict[str, float]:
    """Shares of the rated queries that have a relevant item, and of the words predicted for relevant items.

    `whole_query`: all words of the query are predicted for one relevant item. `top_10`, `top_100`: a relevant item is
    in the memory's answer. `new_terms`: of the (query, word, relevant item) where the word is predicted for the item,
    those where the item itself doesn't have the word.
    """
    texts = {item.id: f"{prose(item)} {labels(item)}" for item in items}
    queries = answerable(judgments)
    whole = top_10 = top_100 = predicted = new = 0
    for text in queries:
        relevant = {ItemId(item_id) for item_id, rating in judgments[text].items() if rating > 0}
        answer = run(memory, text)
        top_10 += not relevant.isdisjoint(answer[:10])
        top_100 += not relevant.isdisjoint(answer)
        found = {word: memory.prior.predicted(word) & relevant for word in query_tokens(text)}
        whole += bool(frozenset.intersection(*found.values())) if found else 0
        predicted += sum(map(len, found.values()))
        new += sum(word not in tokens(texts[item_id]) for word, ids in found.items() for item_id in ids)
    count = max(len(queries), 1)
    return {
        "whole_query": whole / count,
        "top_10": top_10 / count,
        "top_100": top_100 / count,
        "new_terms": new / max(predicted, 1),
    }


def category_queries(items: Sequence[Item]) -> tuple[list[Item], dict[str, dict[str, int]]]:
    """Known answers without ratings: items without their category, and query (category, `brand category`) -> items.

    The memory's constants were checked on these, not on the ratings. Most items have no category at all: answers have
    to be cut down to those that have one.
    """
    named = {item.id: query_key(item.attributes.get(_CATEGORY, ("",))[0]) for item in items}
    sizes = Counter(name for name in named.values() if name and not name.isdigit())
    judgments: dict[str, dict[str, int]] = {}
    for item in items:
        if sizes[named[item.id]] >= _FEWEST:
            for brand in ("", *item.attributes.get("brand", ())):
                judgments.setdefault(f"{brand} {named[item.id]}".strip(), {})[item.id] = 1
    hidden = [
        replace(item, attributes={name: values for name, values in item.attributes.items() if name != _CATEGORY})
        for item in items
    ]
    return hidden, judgments


def categories(memory: MemoryRetriever, items: Sequence[Item]) -> dict[str, float]:
    """Measures of `memory`, still empty, on `category_queries`."""
    hidden, known = category_queries(items)
    memory.apply(hidden, [])
    labelled = {item_id for found in known.values() for item_id in found}
    answers = {text: [found for found in run(memory, text, 10 * DEPTH) if found in labelled] for text in known}
    return {"queries": len(known), **measure({text: found[:DEPTH] for text, found in answers.items()}, known)}


def run(arm: Retriever, text: str, depth: int = DEPTH) -> list[str]:
    return [hit.item_id for hit in arm.retrieve(Query(QueryId("prior"), text, 0.0), depth)]


def fused(runs: Sequence[Sequence[str]]) -> list[str]:
    scores: Counter[str] = Counter()
    for found in runs:
        scores.update({item_id: 1 / (RRF_K + rank) for rank, item_id in enumerate(found, start=1)})
    return sorted(scores, key=lambda item_id: (-scores[item_id], item_id))[:DEPTH]


def systems(arms: Mapping[str, Retriever], judgments: Judgments) -> dict[str, dict[str, float]]:
    """Measures of every arm alone, and of their fusion with and without the memory."""
    runs = {name: {text: run(arm, text) for text in answerable(judgments)} for name, arm in arms.items()}
    without = [name for name in arms if name != "memory"]
    if without:
        for name, parts in (("rrf", list(arms)), ("rrf_without_memory", without)):
            runs[name] = {text: fused([runs[part][text] for part in parts]) for text in answerable(judgments)}
    return {name: measure(found, judgments) for name, found in runs.items()}


def look_up_ms(memory: MemoryRetriever, texts: Sequence[str]) -> dict[str, float]:
    """Of `retrieve` to DEPTH without learned queries; `first` after a change of the catalogue, words not at hand."""
    times: dict[str, list[float]] = {"first": [], "again": []}
    for text in texts:
        memory.prior.apply([], [])
        for found in times.values():
            started = time.perf_counter()
            run(memory, text)
            found.append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help=f"a folder with products.jsonl.gz and {RATINGS}")
    parser.add_argument("--cache", type=Path, default=None, help="a cache of vectors; fusion is then measured too")
    parser.add_argument("--json", action="store_true", help="JSON on one line")
    options = parser.parse_args()
    rows = read_items(options.data / "products.jsonl.gz", read_mapping(ROOT / "configs/catalogs/icecat.toml"))
    items = [row for row in rows if isinstance(row, Item)]
    judgments = read_judgments(options.data / RATINGS)
    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch)
        embeddings = StoredEmbeddings(open_encoder(BUNDLED, cache), cache / "embeddings.sqlite")
        result = report(items, judgments, embeddings, fuse=options.cache is not None)
        embeddings.close()
    print(json.dumps(result, indent=None if options.json else 1))


def report(
    items: Sequence[Item], judgments: Judgments, embeddings: StoredEmbeddings, *, fuse: bool
) -> dict[str, object]:
    query_vector = QueryVectors(embeddings)
    memory = MemoryRetriever(embeddings, query_vector)
    started = time.perf_counter()
    memory.apply(items, [])
    load_s = time.perf_counter() - started
    arms: dict[str, Retriever] = {"memory": memory}
    if fuse:
        arms |= {"lexical": LexicalRetriever(), "vector": VectorRetriever(embeddings, query_vector)}
        for arm in (arms["lexical"], arms["vector"]):
            arm.apply(items, [])
    return {
        "hit_rates": prior_hit_rate(memory, items, judgments),
        "systems": systems(arms, judgments),
        "categories": categories(MemoryRetriever(embeddings, query_vector), items),
        "look_up_ms": look_up_ms(memory, answerable(judgments)),
        "load_s": load_s,
    }


if __name__ == "__main__":
    main()

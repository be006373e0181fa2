"""Judged quality of rankings, computed by ir_measures (trec_eval inside), and the reading of rating files."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import RR, Judged, R, nDCG

from core.errors import InvalidInput

Judgments = Mapping[str, Mapping[Any, int]]  # query text -> item id -> rating, 0 = irrelevant
Run = Mapping[str, Sequence[str]]  # query text -> item ids, best first

MEASURES = (nDCG @ 10, RR, R @ 100, Judged @ 10)
STATED = "nDCG gains are 2^rating - 1; unrated items count as 0; queries without a relevant item are left out"


def measure(run: Run, judgments: Judgments) -> dict[str, float]:
    """Means over the queries that have a relevant item: nDCG@10, RR, R@100 and Judged@10 (share of rated items).

    RR and R count an item as relevant when its rating is above 0.
    """
    values = ir_measures.calc_aggregate(MEASURES, *_trec_form(run, judgments))
    return {str(measure): float(values[measure]) for measure in MEASURES}


def recall(run: Run, judgments: Judgments) -> float:
    """Mean share of the relevant items that are anywhere in the run, over the queries that have one."""
    longest = max((len(found) for found in run.values()), default=1)
    whole = R @ max(longest, 1)
    return float(ir_measures.calc_aggregate([whole], *_trec_form(run, judgments))[whole])


def ndcg_by_query(run: Run, judgments: Judgments) -> dict[str, float]:
    """nDCG@10 of every query that has a relevant item."""
    queries = answerable(judgments)
    found = ir_measures.iter_calc([nDCG @ 10], *_trec_form(run, judgments))
    return {queries[int(metric.query_id)]: float(metric.value) for metric in found}


def _trec_form(run: Run, judgments: Judgments) -> tuple[list[Any], list[Any]]:
    """Qrels and scored documents, with query ids of their own and scores that only carry the order."""
    queries = answerable(judgments)
    qrels = [
        ir_measures.Qrel(str(n), item, 2**rating - 1)
        for n, query in enumerate(queries)
        for item, rating in judgments[query].items()
    ]
    scored = [
        ir_measures.ScoredDoc(str(n), item, -float(rank))
        for n, query in enumerate(queries)
        for rank, item in enumerate(run.get(query, ()))
    ]
    return qrels, scored


def answerable(judgments: Judgments) -> list[str]:
    """The queries that have a relevant item, in their order."""
    return [query for query, ratings in judgments.items() if any(rating > 0 for rating in ratings.values())]


def read_judgments(path: Path, queries: Path | None = None) -> dict[str, dict[str, int]]:
    """Ratings from a CSV with `query,docid,rating`, or TREC qrels together with a `queries` file (also .gz).

    The queries file has one `id<TAB or comma>text` a line. InvalidInput names the file and the line.
    """
    text = _text(path)
    header = next(csv.reader(io.StringIO(text)), [])
    if {"query", "docid", "rating"} <= {name.strip().lower() for name in header}:
        rows: Any = ((n, row["query"], row["docid"], row["rating"]) for n, row in _table(text))
    elif queries is not None:
        texts = _queries(queries)
        rows = _trec(path, text, texts)
    else:
        raise InvalidInput(
            "unknown_ratings",
            f"{path} has no header `query,docid,rating`, so it is read as TREC qrels, which need the query texts.",
            "Give --queries FILE with one `id<TAB>text` a line, or a CSV with that header.",
        )
    judgments: dict[str, dict[str, int]] = {}
    for line, query, item, rating in rows:
        try:
            judgments.setdefault(query, {})[item] = max(0, int(float(rating)))
        except (TypeError, ValueError):
            raise InvalidInput(
                "bad_rating", f"{path}, line {line}: rating {rating!r} is no number.", "Use whole numbers from 0."
            ) from None
    return judgments


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidInput("unreadable_file", f"Cannot read {path}: {why}.", "Check the path.") from None


def _table(text: str) -> Any:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
    return enumerate(reader, start=2)


def _queries(path: Path) -> dict[str, str]:
    texts = {}
    for line in _text(path).splitlines():
        key, found, text = line.partition("\t" if "\t" in line else ",")
        if found:
            texts[key.strip()] = text.strip().strip('"')
    return texts


def _trec(path: Path, text: str, texts: Mapping[str, str]) -> Any:
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 4:
            message = f"{path}, line {number}: {line!r} is not `query-id 0 document-id rating`."
            raise InvalidInput("bad_qrels", message, "TREC qrels have four columns.")
        if parts[0] not in texts:
            message = f"{path}, line {number}: query id {parts[0]!r} is not in the queries file."
            raise InvalidInput("unknown_query_id", message, "Give the queries file that belongs to these ratings.")
        yield number, texts[parts[0]], parts[2], parts[3]

"""Judged collections in one form: a catalogue file with its mapping, and ratings as `query,docid,rating`."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ranking.metrics import read_judgments

ROOT = Path(__file__).parent.parent
Rating = tuple[str, str, int]  # query, document id, rating from 0
DATA = Path(os.environ.get("BOWERBIRD_DATA", "../shared/data"))


@dataclass(frozen=True, slots=True)
class Collection:
    """`file` is what `bowerbird ingest` reads with `mapping`."""

    name: str
    file: Path
    mapping: Path

    def ratings(self) -> Iterator[Rating]:
        match self.name:
            case "chorus":
                yield from _chorus()
            case "scifact":
                yield from _scifact("validation")
            case "cranfield":
                yield from _cranfield()

    def other_ratings(self) -> list[Rating]:
        """Of queries that are not in `ratings`, where the collection has some: to choose weights on."""
        return list(_scifact("train")) if self.name == "scifact" else []


def write_ratings(ratings: Iterable[Rating], path: Path) -> Path:
    """As the CSV that `bowerbird evaluate retrieval` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "docid", "rating"])
        writer.writerows(ratings)
    return path


COLLECTIONS = {
    name: Collection(name, DATA / file, ROOT / "configs" / "catalogs" / mapping)
    for name, file, mapping in (
        ("chorus", "chorus-icecat/products.jsonl.gz", "icecat.toml"),
        ("scifact", "scifact/docs.jsonl.gz", "scifact.toml"),
        ("cranfield", "cranfield/docs.jsonl.gz", "cranfield.toml"),
    )
}


def _chorus() -> Iterator[Rating]:
    ratings = read_judgments(DATA / "chorus-icecat" / "Broad_Query_Set_rated.csv.gz")
    return ((query, item, rating) for query, found in ratings.items() for item, rating in found.items())


def _scifact(split: str) -> Iterator[Rating]:
    """The 300 `validation` claims are what BEIR calls the test set."""
    texts = _texts(DATA / "scifact" / "queries.csv")
    for row in _rows(DATA / "scifact" / "qrels.csv"):
        if row["split"] == split:
            yield texts[row["query_id"]], row["doc_id"], int(row["relevance"])


def _cranfield() -> Iterator[Rating]:
    """Codes run from 1 (best) to 4; the rating is 5 - code. Code -1 is unexplained by the source and left out."""
    texts = _texts(DATA / "cranfield" / "queries.csv")
    for row in _rows(DATA / "cranfield" / "qrels.csv"):
        if (code := int(row["code"])) > 0:
            yield texts[row["query_id"]], row["doc_id"], 5 - code


def _texts(path: Path) -> dict[str, str]:
    return {row["query_id"]: row["query"] for row in _rows(path)}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)

"""Judged collections in one form: a catalogue file with its mapping, and ratings as `query,docid,rating`."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ranking.metrics import read_judgments

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("BOWERBIRD_DATA", "../shared/data"))


@dataclass(frozen=True, slots=True)
class Collection:
    """`file` is what `bowerbird ingest` reads with `mapping`."""

    name: str
    file: Path
    mapping: Path

    def ratings(self) -> Iterator[tuple[str, str, int]]:
        """(query, document id, rating from 0)."""
        match self.name:
            case "chorus":
                yield from _chorus()
            case "scifact":
                yield from _scifact()
            case "cranfield":
                yield from _cranfield()

    def write_ratings(self, path: Path) -> Path:
        """As the CSV that `bowerbird evaluate retrieval --qrels` reads."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["query", "docid", "rating"])
            writer.writerows(self.ratings())
        return path


COLLECTIONS = {
    name: Collection(name, DATA / file, ROOT / "configs" / "catalogs" / mapping)
    for name, file, mapping in (
        ("chorus", "chorus-icecat/products.jsonl.gz", "icecat.toml"),
        ("scifact", "scifact/docs.jsonl.gz", "scifact.toml"),
        ("cranfield", "cranfield/docs.jsonl.gz", "cranfield.toml"),
    )
}


def _chorus() -> Iterator[tuple[str, str, int]]:
    ratings = read_judgments(DATA / "chorus-icecat" / "Broad_Query_Set_rated.csv.gz")
    return ((query, item, rating) for query, found in ratings.items() for item, rating in found.items())


def _scifact() -> Iterator[tuple[str, str, int]]:
    """The 300 validation claims, which BEIR calls the test set."""
    texts = _texts(DATA / "scifact" / "queries.csv")
    for row in _rows(DATA / "scifact" / "qrels.csv"):
        if row["split"] == "validation":
            yield texts[row["query_id"]], row["doc_id"], int(row["relevance"])


def _cranfield() -> Iterator[tuple[str, str, int]]:
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

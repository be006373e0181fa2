"""Splits a ratings file by query: some queries are held out and never asked."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path


def split_ratings(ratings: Path, folder: Path, *, heldout: int, seed: int) -> tuple[Path, Path]:
    """Writes traffic.csv and heldout.csv (`query,docid,rating`) with `heldout` queries drawn by the seed."""
    with gzip.open(ratings, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    queries = sorted({row["query"] for row in rows})
    out = set(random.Random(seed).sample(queries, heldout))
    paths = folder / "traffic.csv", folder / "heldout.csv"
    for path, wanted in zip(paths, (False, True), strict=True):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=["query", "docid", "rating"])
            writer.writeheader()
            writer.writerows(row for row in rows if (row["query"] in out) is wanted)
    return paths

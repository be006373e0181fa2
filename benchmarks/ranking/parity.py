"""Our training beside plain LightGBM on the same files with the same parameters: the same order, or something is lost.

`python -m benchmarks.ranking.parity` prints `parity.ndcg_diff`. The data set ltr-lightgbm-example is read from
$BOWERBIRD_DATA (default ../shared/data).
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from benchmarks.collections import DATA
from benchmarks.tables import table
from core.types import Floats
from ranking.features.feature import Feature, Schema
from ranking.ltr import LambdaMart
from ranking.training.child import Training
from ranking.training.parameters import Parameters
from ranking.training.rows import ClickedPage

# As in LightGBM's own example, where ours have a name for it.
PARAMETERS = Parameters(
    trees=100, learning_rate=0.1, num_leaves=31, min_data_in_leaf=50, lambda_l2=0.0, feature_fraction=1.0,
    bagging_fraction=0.9, truncation=30, history_dropout=0.0, equal_pages=1, anchor=0.0,
)  # fmt: skip
_CUT = 10


def read(folder: Path, part: str, columns: int) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """(values, labels, groups) of a LibSVM file whose columns count from 0 or 1; what is absent is 0."""
    with gzip.open(folder / f"rank.{part}.gz", "rt", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    values = np.zeros((len(lines), columns), dtype=np.float32)
    for row, (_, *entries) in enumerate(lines):
        for entry in entries:
            column, value = entry.split(":")
            values[row, int(column) - 1] = float(value)
    groups = np.loadtxt(folder / f"rank.{part}.query", dtype=np.int64)
    return values, np.array([int(line[0]) for line in lines]), groups


def ndcg(scores: NDArray[np.float64], labels: NDArray[np.int64], groups: NDArray[np.int64]) -> float:
    """Mean nDCG@10 with gains 2^label - 1; a query without a relevant document counts as 1, as LightGBM has it."""
    found = []
    for rows in np.split(np.arange(len(labels)), np.cumsum(groups)[:-1]):
        gains = 2.0 ** labels[rows] - 1
        discounts = 1 / np.log2(2 + np.arange(min(_CUT, len(rows))))
        ideal = float(np.sort(gains)[::-1][:_CUT] @ discounts)
        order = np.argsort(-scores[rows], kind="stable")[:_CUT]
        found.append(float(gains[order] @ discounts) / ideal if ideal else 1.0)
    return float(np.mean(found))


def ours(train: Any, schema: Schema) -> LambdaMart:
    """Through the child process, its files, and the form in which models are published."""
    values, labels, groups = train
    pages = []
    for n, rows in enumerate(np.split(np.arange(len(labels)), np.cumsum(groups)[:-1])):
        gains = 2.0 ** labels[rows] - 1
        positions = np.arange(1, len(rows) + 1)
        pages.append(ClickedPage(str(n), values[rows], gains, positions, np.ones(len(rows)), values[:0]))
    return LambdaMart(Training(pages, [], schema, PARAMETERS, memory_mib=4_096).model(), schema)


def plain(train: Any) -> lightgbm.Booster:
    """LightGBM as its documentation calls it; no word of ours but the numbers."""
    values, labels, groups = train
    dataset = lightgbm.Dataset(values, label=labels, group=groups)
    wanted = {
        "objective": "lambdarank", "label_gain": [0, 1, 3, 7, 15], "learning_rate": 0.1, "num_leaves": 31,
        "min_data_in_leaf": 50, "lambda_l2": 0.0, "feature_fraction": 1.0, "bagging_fraction": 0.9, "bagging_freq": 1,
        "lambdarank_truncation_level": 30, "deterministic": True, "force_row_wise": True, "seed": 1, "num_threads": 1,
        "verbosity": -1,
    }  # fmt: skip
    return lightgbm.train(wanted, dataset, num_boost_round=100)


def measure() -> dict[str, Any]:
    """`figures`, and both nDCG@10 on the test part."""
    folder = DATA / "ltr-lightgbm-example"
    train, test = read(folder, "train", 300), read(folder, "test", 300)
    schema = Schema([Feature(f"x{n}", "of the example", "LightGBM") for n in range(300)])
    values, labels, groups = test
    found = {
        "ours": ndcg(ours(train, schema).predict(values), labels, groups),
        "lightgbm": ndcg(np.asarray(plain(train).predict(values)), labels, groups),
    }
    return {"figures": {"parity.ndcg_diff": abs(found["ours"] - found["lightgbm"])}, "ndcg": found}


def section(found: dict[str, Any]) -> list[str]:
    """Markdown."""
    told = "LightGBM's LambdaRank example, the same parameters: through our training process, and called directly."
    rows = [["Bowerbird", f"{found['ndcg']['ours']:.6f}"], ["LightGBM", f"{found['ndcg']['lightgbm']:.6f}"]]
    return ["## Training loses nothing", "", told, "", *table(["", "nDCG@10"], rows), ""]


if __name__ == "__main__":
    result = measure()
    print(json.dumps(result["figures"], indent=1))
    print("\n".join(section(result)))

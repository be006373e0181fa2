"""Does quality without its price foretell purchases, and do words foretell ratings?

    python -m benchmarks.ranking.quality

Generated shops with known truth (three seeds), the women's clothing reviews, and contextual-product-qa, the latter two
from $BOWERBIRD_DATA (by default ../shared/data). Prints the figures as JSON.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ranking.quality_world import World, world
from benchmarks.tables import Cell, table
from core.types import Candidate, Item, ItemId, Query, QueryId, Question, Review
from ranking.features.extractor import FeatureExtractor
from ranking.quality.bradley_terry import bradley_terry
from ranking.quality.build import Recipe, build
from ranking.quality.model import QualityModel
from ranking.quality.reviews import read_reviews
from ranking.quality.score import means, rate, strength
from ranking.quality.texts import SOURCES

Doubles = NDArray[np.float64]
DATA = Path(os.environ.get("BOWERBIRD_DATA", "../shared/data"))
SEEDS = (1, 2, 3)
_DRAWS = 1_000
_LEAST_HELD_OUT = 5  # ratings, whose mean is otherwise mostly chance


def measure() -> dict[str, Any]:
    """`figures`, and all that was found; what needs a data set that is absent is missing."""
    found: dict[str, Any] = {"quality": generated(SEEDS)}
    if (reviews := DATA / "womens-clothing-reviews" / "reviews.csv.gz").is_file():
        found["clothing"] = clothing(reviews, SEEDS)
    if (folder := DATA / "contextual-product-qa").is_dir():
        found["sources"] = sources(folder)
    figures = {"quality.auc_gain": found["quality"]["auc_gain"]}
    if "clothing" in found:
        figures["clothing.margin"] = found["clothing"]["margin"]
    return {"figures": figures, **found}


def section(found: Mapping[str, Any]) -> list[str]:
    """The part of the page in docs/ about quality."""
    shop, (low, high) = found["quality"], found["quality"]["auc_gain_interval"]
    rows: list[list[Cell]] = [[name, value] for name, value in shop["auc"].items()]
    told = [
        "## Quality from customers' words",
        "",
        "Shops with a known truth, in which people buy value for money. Which of two items was bought, by each figure",
        f"({shop['searches']:,} searches): the residual gains {shop['auc_gain']:.3f} over the raw rating",
        f"(95% {low:.3f} to {high:.3f}). Correlation with log price by seed: of judged quality",
        f"{_listed(shop['judged_with_log_price'])}, of the residual {_listed(shop['residual_with_log_price'])}.",
        f"Where buyers do not mind the price, the residual loses: {_listed(shop['auc_gain_if_price_is_no_matter'])}.",
        "",
        *table(["figure", "AUC"], rows),
        "",
    ]
    if clothes := found.get("clothing"):
        told += [
            "23,486 reviews of clothes: the mean of one half of an item's ratings, by the words of the other half's",
            f"reviews; share of the category mean's squared error that is gone: {clothes['margin']:.3f}.",
            "",
        ]
    return told


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def generated(seeds: Sequence[int]) -> dict[str, Any]:
    """Which of two items was bought, by the residual, the raw and the shrunken mean rating, and people's judgments.

    `auc` is over searches whose two items both have a rating, ties counting a half; `judged` by Bradley-Terry scores of
    people who compare qualities. `auc_gain`: of the residual over the raw rating, all seeds together, with the 95%
    interval of a bootstrap over searches. Where buyers do not mind the price, the residual should lose, and does.
    """
    runs = [_run(world(seed)) for seed in seeds]
    careless = [_run(world(seed, thrift=0.0)) for seed in seeds]
    hits = {name: np.concatenate([run[name] for run in runs]) for name in ("residual", "raw", "rating", "judged")}
    gain = hits["residual"] - hits["raw"]
    random = np.random.default_rng(0)
    draws = [float(gain[random.integers(len(gain), size=len(gain))].mean()) for _ in range(_DRAWS)]
    return {
        "auc": {name: round(float(each.mean()), 4) for name, each in hits.items()},
        "auc_gain": round(float(gain.mean()), 4),
        "auc_gain_interval": [round(float(each), 4) for each in np.quantile(draws, (0.025, 0.975))],
        "auc_gain_by_seed": [round(float((run["residual"] - run["raw"]).mean()), 4) for run in runs],
        "auc_gain_if_price_is_no_matter": [round(float((run["residual"] - run["raw"]).mean()), 4) for run in careless],
        "judged_with_log_price": [round(run["judged_price"], 3) for run in runs],
        "residual_with_log_price": [round(run["residual_price"], 3) for run in runs],
        "residual_with_truth": [round(run["truth"], 3) for run in runs],
        "sentiment_with_truth_within_items": [round(run["aspects"], 3) for run in runs],
        "searches": len(gain),
        "seeds": list(seeds),
    }


def _run(shop: World) -> dict[str, Any]:
    """1, 0 or a half for each search by each figure, and what goes with price."""
    extractor = FeatureExtractor(())
    model = build(shop.items, Recipe()).model
    extractor.quality.load(model.encode())
    candidates = [Candidate(item, {}, {}) for item in shop.items]
    found = extractor.extract(Query(QueryId("q"), "", 0.0), candidates)
    columns = {}
    for name in ("rating", "residual"):
        column = found.values[:, found.names.index(f"quality.{name}")]
        columns[name] = dict(zip((each.id for each in shop.items), column.tolist(), strict=True))
    judged = {item_id: each.score for item_id, each in bradley_terry(shop.judgments).items()}
    columns["judged"] = {item.id: judged.get(item.id, 0.0) for item in shop.items}
    columns["raw"] = {item.id: _mean_rating(item) for item in shop.items}
    searches = [each for each in shop.searches if not any(math.isnan(columns["raw"][item]) for item in each.items)]
    hits = {
        name: np.array([_ahead(column, each.items, each.bought) for each in searches])
        for name, column in columns.items()
    }
    price = {item.id: math.log(item.numbers["price"]) for item in shop.items}
    return {
        **hits,
        "judged_price": _correlation(judged, price),
        "residual_price": _correlation(columns["residual"], price),
        "truth": _correlation(columns["residual"], shop.residual),
        "aspects": _aspects(shop, model),
    }


def _aspects(shop: World, model: QualityModel) -> float:
    """Correlation of the sentiment of aspects with what they are like, both above the mean of their item."""
    felt, true = [], []
    for item in shop.items:
        known = [each for each in model.opinions(item.id) if (item.id, each.term) in shop.aspects]
        moods = np.array([each.sentiment for each in known])
        worth = np.array([shop.aspects[item.id, each.term] for each in known])
        heard = ~np.isnan(moods)
        if heard.sum() >= 2:
            felt.extend(moods[heard] - moods[heard].mean())
            true.extend(worth[heard] - worth[heard].mean())
    return float(np.corrcoef(felt, true)[0, 1])


def _ahead(column: Mapping[ItemId, float], items: tuple[ItemId, ItemId], bought: ItemId) -> float:
    other = items[1] if bought == items[0] else items[0]
    return 0.5 + 0.5 * float(np.sign(column[bought] - column[other]))


def _mean_rating(item: Item) -> float:
    given = [review.rating for review in item.reviews if review.rating is not None]
    return float(np.mean(given)) if given else math.nan


def _correlation(one: Mapping[ItemId, float], other: Mapping[ItemId, float]) -> float:
    both = [item for item in one if item in other and not math.isnan(one[item])]
    return float(np.corrcoef([one[item] for item in both], [other[item] for item in both])[0, 1])


def clothing(path: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """1 - MSE / MSE of the category's mean, in predicting the mean rating that half of an item's reviews give.

    Every item's reviews are split in two at random; predicted is the mean rating of the second half of the items with
    at least _LEAST_HELD_OUT ratings there. The category (Class Name) mean is that of the first halves. `margin`: from
    the words of the first half alone, by weights fitted to the first halves of other items (five folds of items), drawn
    towards the category's mean. `stars`: the shrunken mean of the ratings of the first half. `both`: what a build uses.
    `ceiling`: what is left when the second half's own sampling error is taken off, which nobody can predict.
    """
    items = clothing_items(path)
    runs = [_clothing_run(items, seed) for seed in seeds]
    names = ("margin", "stars", "both", "ceiling")
    found = {name: round(float(np.mean([run[name] for run in runs])), 4) for name in names}
    return {**found, "margin_by_seed": [round(run["margin"], 4) for run in runs], "items": runs[0]["items"]}


def clothing_items(path: Path) -> list[Item]:
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["Clothing ID"]].append(row)
    return [
        Item(
            ItemId(name),
            found[0]["Class Name"] or "none",
            {"title": found[0]["Class Name"]},
            reviews=tuple(Review(f"{row['Title']}. {row['Review Text']}", float(row["Rating"])) for row in found),
        )
        for name, found in rows.items()
    ]


def _clothing_run(items: Sequence[Item], seed: int) -> dict[str, float]:
    random = np.random.default_rng(seed)
    shown, kept = [], []
    for item in items:
        order = random.permutation(len(item.reviews))
        half = (len(order) + 1) // 2
        shown.append(Item(item.id, item.type, item.fields, reviews=tuple(item.reviews[n] for n in order[:half])))
        kept.append([float(item.reviews[n].rating or 0) for n in order[half:]])
    kinds = sorted({item.type for item in items})
    category = np.array([kinds.index(item.type) for item in items])
    reviews = read_reviews(shown)
    scores = rate(reviews.rating, reviews.words, reviews.item, category)
    usual = scores.usual[category]
    asked = np.array([len(found) >= _LEAST_HELD_OUT for found in kept])
    truth = np.array([np.mean(found) if found else math.nan for found in kept])
    noise = np.array([np.var(found, ddof=1) / len(found) if len(found) > 1 else math.nan for found in kept])
    missed = {
        "margin": usual + _words_alone(reviews.words, reviews.rating, reviews.item, category) - truth,
        "stars": scores.rating - truth,
        "both": usual + scores.reliability * scores.opinion - truth,
    }
    worst = float(np.mean((usual - truth)[asked] ** 2))
    found = {name: 1 - float(np.mean(each[asked] ** 2)) / worst for name, each in missed.items()}
    return {**found, "ceiling": 1 - float(np.mean(noise[asked])) / worst, "items": int(asked.sum())}


def _words_alone(words: Doubles, ratings: Doubles, item: NDArray[np.int64], category: NDArray[np.int64]) -> Doubles:
    """[items] the mean of what an item's reviews suggest, above its category, drawn towards 0 as ratings are."""
    home = category[item]
    deviation = words - means(words, home, int(category.max()) + 1)[home]
    starred = ratings - means(ratings, home, int(category.max()) + 1)[home]
    sizes = np.bincount(item, minlength=len(category))
    return sizes / (sizes + strength(starred, item)) * means(deviation, item, len(category))


def sources(folder: Path) -> dict[str, Any]:
    """By category, the share of its terms that each source mentions: toys (hetPQA) against goods of all kinds (ePQA).

    The sentences are those that somebody found as candidate answers to questions: a sample of what was written.
    """
    items = [
        *_asked_items(folder / "hetPQA_answer_generation_train.tsv.gz", "\t", "toys"),
        *_asked_items(folder / "ePQA_dev.csv.gz", ",", "all kinds"),
    ]
    built = build(items, Recipe())
    return {
        kind: {
            "terms": len(found),
            **{str(s): round(float(np.mean([term.counts[s] > 0 for term in found])), 3) for s in SOURCES},
            "strongest": [term.text for term in found[:10]],
        }
        for kind, found in built.terms.items()
    }


def _asked_items(path: Path, delimiter: str, kind: str) -> list[Item]:
    said: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    asked: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            if row["source"].lower() == "cqa":
                asked[row["ASIN"]][row["question"]].add(row["candidate"])
            else:
                said[row["ASIN"]][row["source"]][row["candidate"]] = None
    return [
        Item(
            ItemId(name),
            kind,
            {source: ". ".join(texts) for source, texts in said[name].items() if source != "review"} or {"title": ""},
            reviews=tuple(Review(text) for text in said[name].get("review", ())),
            questions=tuple(Question(text, tuple(sorted(answers))) for text, answers in asked[name].items()),
        )
        for name in {**said, **asked}
    ]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))

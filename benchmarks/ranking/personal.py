"""What the profiles of customers bring to those who have one, and what they cost those who have none.

A world with planted tastes: every customer likes three brands and one price band, everybody likes what is cheap, and
clicks follow. The items and the words that are searched for are real where the data set chorus-icecat is at hand, else
synthetic; tastes and clicks are made up. Tastes reach no feature: profiles are learned from the clicks in an event log,
by the learners of the service, while the customers search. Searches are held out by time.
`python -m benchmarks.ranking.personal` prints.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.ingest.items import read_items, read_mapping
from benchmarks.catalogue import SyntheticItems
from benchmarks.collections import COLLECTIONS
from benchmarks.tables import table
from core.episodes import Episode, EventId, Feedback, Impression
from core.seeds import generator
from core.text import tokens
from core.types import ArmReport, ArmStatus, Candidate, Choice, Features, Floats, Item, ItemId, Plan, Query, QueryId
from feedback.join import every_closed
from feedback.reward import RewardRule
from feedback.sqlite_store import SqliteEventStore
from ranking.behaviour_model import BehaviourLearner
from ranking.features.extractor import FeatureExtractor
from ranking.learner import RankerLearner
from ranking.ltr import LambdaMart
from ranking.profiles import ProfilesLearner

Doubles = NDArray[np.float64]

SEEDS = (1, 2, 3)
_USERS, _SEARCHES, _HELD_OUT = 500, 6_000, 600
_PAGE, _FOUND = 10, 40
_EVERY_S, _LEARN_EVERY = 60.0, 500
_DAY_S = 86_400.0
_CLICKS = 5  # that make somebody known
# What a click is made of: something for all, something for what is cheap, and what the one customer likes.
EVERYBODY, CHEAP, BRAND, BAND = 0.05, 0.15, 0.5, 0.2
_OF_USERS = ("affinity.", "session.")
_ARM = "lexical"


@dataclass(frozen=True, slots=True)
class _World:
    """Items by the word that finds them. A customer's tastes are a function of the seed and the name."""

    seed: int
    items: Mapping[str, Sequence[Item]]
    brands: Sequence[str]

    def appeal(self, user: str, found: Sequence[Item]) -> Doubles:
        """[items] the probability of a click on what is looked at."""
        random = generator(self.seed, f"taste of {user}")
        liked = set(random.choice(self.brands, size=3, replace=False).tolist())
        band = int(random.integers(3))
        prices = np.array([item.numbers.get("price", 0.0) for item in found])
        bands = np.searchsorted(np.quantile(prices, [1 / 3, 2 / 3]), prices)
        brand = np.array([bool(liked.intersection(item.attributes.get("brand", ()))) for item in found])
        appeal: Doubles = EVERYBODY + CHEAP * (bands == 0) + BRAND * brand + BAND * (bands == band)
        return appeal

    def search(self, number: int, user: str, time: float) -> tuple[Query, list[Candidate]]:
        """Somebody searches for a word; forty items that have it are found, in no order."""
        random = generator(self.seed, f"search {number}")
        word = str(random.choice(sorted(self.items)))
        found = self.items[word]
        rows = random.choice(len(found), size=min(_FOUND, len(found)), replace=False)
        candidates = [Candidate(found[row], {_ARM: n}, {_ARM: 1 / n}) for n, row in enumerate(rows.tolist(), start=1)]
        return Query(QueryId(f"{self.seed}-{number}"), word, time, user_id=user), candidates


def measure(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """nDCG@10 by seed: of the model, and of the same model without features of users, for the known and for new ones.

    `personal.ratio` and `personal.new_ratio` are the least of any seed.
    """
    items, source = _items()
    runs = [_run(_world(items, seed), seed) for seed in seeds]
    return {
        "figures": {
            "personal.ratio": min(run["known"]["ratio"] for run in runs),
            "personal.new_ratio": min(run["new"]["ratio"] for run in runs),
        },
        "mean": {who: statistics.mean(run[who]["ratio"] for run in runs) for who in ("known", "new")},
        "source": source,
        "runs": runs,
    }


def _run(world: _World, seed: int) -> dict[str, Any]:
    extractor = FeatureExtractor((_ARM,))
    extractor.apply(list({item.id: item for found in world.items.values() for item in found}.values()), [])
    by_id = {item.id: item for found in world.items.values() for item in found}
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteEventStore(Path(folder) / "events.sqlite")
        learners = (
            ProfilesLearner(by_id.get, brand="brand", half_life_s=30 * _DAY_S),
            BehaviourLearner(half_life_s=30 * _DAY_S, client_cap=5),
        )
        clicks, episodes = _live(world, extractor, store, learners)
        store.close()
    both = {name: _trained(episodes, extractor, own=own) for name, own in (("with", True), ("without", False))}
    known = [user for user, count in sorted(clicks.items()) if count >= _CLICKS]
    return {
        "seed": seed,
        "known": {**_compared(world, extractor, both, known), "users": len(known)},
        "new": {**_compared(world, extractor, both, [f"new-{n}" for n in range(100)]), "users": 100},
    }


def _live(
    world: _World, extractor: FeatureExtractor, store: SqliteEventStore, learners: Sequence[Any]
) -> tuple[Counter[str], list[Episode]]:
    """Clicks by user, and the log as episodes. Every so often the learners' models are loaded, as the service does."""
    random = generator(world.seed, "clicks")
    clicks: Counter[str] = Counter()
    episodes: list[Episode] = []
    rule = RewardRule({"click": 1.0})
    for number in range(_SEARCHES):
        user = f"user-{random.integers(_USERS)}"
        query, candidates = world.search(number, user, number * _EVERY_S)
        features = extractor.extract(query, candidates)
        page = [candidate.item for candidate in candidates[:_PAGE]]
        looked = 1 / np.log2(2 + np.arange(len(page)))  # as learners take it that people look
        taken = np.flatnonzero(random.random(len(page)) < looked * world.appeal(user, page)).tolist()
        store.append_impression(_impression(query, candidates, features))
        store.append_feedback([_click(query, page[row].id, row) for row in taken])
        clicks[user] += len(taken)
        if (number + 1) % _LEARN_EVERY == 0:
            now = (number + 1) * _EVERY_S
            closed = list(every_closed(store, now=now, window_s=_EVERY_S / 2, rule=rule))[len(episodes) :]
            episodes += closed
            for learner in learners:
                learner.learn(closed)
                if model := learner.snapshot():
                    extractor.loads[learner.component](model)
    return clicks, episodes


def _trained(episodes: Sequence[Episode], extractor: FeatureExtractor, *, own: bool) -> LambdaMart:
    """The ranker of the service, from these episodes; without `own`, what is known of users is left out."""
    learner = RankerLearner(extractor.schema, min_clicked=100, retrain_every=100, max_episodes=20_000)
    if not own:
        episodes = [replace(each, impression=_masked(each.impression)) for each in episodes]
    learner.learn(episodes)
    model = learner.snapshot()
    if model is None:
        raise RuntimeError("no ranking model came of the searches: rank fusion orders the held-out clicks better")
    return LambdaMart(model, extractor.schema)


def _compared(
    world: _World, extractor: FeatureExtractor, models: Mapping[str, LambdaMart], users: Sequence[str]
) -> dict[str, float]:
    """Mean nDCG@10 of later searches by these users, the gain being what truly appeals."""
    random = generator(world.seed, "held out")
    values = defaultdict(list)
    for number in range(_SEARCHES, _SEARCHES + _HELD_OUT):
        user = users[int(random.integers(len(users)))]
        query, candidates = world.search(number, user, number * _EVERY_S)
        features = extractor.extract(query, candidates).values
        appeal = world.appeal(user, [candidate.item for candidate in candidates])
        values["with"].append(_ndcg(models["with"].predict(features), appeal))
        values["without"].append(_ndcg(models["without"].predict(_without_users(features, extractor)), appeal))
    found = {name: float(np.mean(each)) for name, each in values.items()}
    return {**found, "ratio": found["with"] / found["without"]}


def _without_users(values: Floats, extractor: FeatureExtractor) -> Floats:
    masked = values.copy()
    masked[:, [n for n, name in enumerate(extractor.schema.names) if name.startswith(_OF_USERS)]] = np.nan
    return masked


def _masked(impression: Impression) -> Impression:
    features, names = impression.features, impression.features.names
    values = features.values.copy()
    values[:, [n for n, name in enumerate(names) if name.startswith(_OF_USERS)]] = np.nan
    return replace(impression, features=replace(features, values=values))


def _ndcg(scores: Doubles, appeal: Doubles) -> float:
    discounts = 1 / np.log2(2 + np.arange(_PAGE))
    return float(
        appeal[np.argsort(-scores, kind="stable")][:_PAGE] @ discounts / (np.sort(appeal)[::-1][:_PAGE] @ discounts)
    )


def _impression(query: Query, candidates: Sequence[Candidate], features: Features) -> Impression:
    shown = candidates[:_PAGE]
    return Impression(
        query=query,
        choice=Choice(Plan(_ARM, {_ARM: _FOUND}), 1.0, "fixed"),
        context=Features((), np.empty(0, dtype=np.float32)),
        shown=tuple(candidate.item.id for candidate in shown),
        features=replace(features, values=features.values[:_PAGE]),
        ranks={_ARM: tuple(candidate.ranks[_ARM] for candidate in shown)},
        arms={_ARM: ArmReport(ArmStatus.OK, _FOUND, len(candidates), 1.0)},
        ranker="none",
        release=0,
        config="personal",
    )


def _click(query: Query, item_id: ItemId, row: int) -> Feedback:
    event = EventId(f"{query.id}-{row}")
    return Feedback(event, query.id, item_id, "click", query.time + 5, query.time + 5, user_id=query.user_id)


def _world(items: Sequence[Item], seed: int) -> _World:
    """Words that are in forty to a thousand titles, thirty of them, and the brands that are most common there."""
    having = defaultdict(list)
    for item in items:
        for word in {word for word in tokens(item.fields.get("title", "")) if word.isalpha() and len(word) > 3}:
            having[word].append(item)
    common = sorted(word for word, found in having.items() if _FOUND <= len(found) <= 1_000)
    words = generator(seed, "words").choice(common, size=30, replace=False).tolist()
    brands = Counter(brand for word in words for item in having[word] for brand in item.attributes.get("brand", ()))
    return _World(seed, {word: having[word] for word in words}, [brand for brand, _ in brands.most_common(20)])


def _items() -> tuple[list[Item], str]:
    chorus = COLLECTIONS["chorus"]
    if not chorus.file.is_file():
        return SyntheticItems(20_000, 1)[:], "synthetic items"
    read = read_items(chorus.file, read_mapping(chorus.mapping))
    return [item for item in read if isinstance(item, Item)], "items of chorus-icecat"


def section(found: Mapping[str, Any]) -> list[str]:
    """The part of a page in docs/."""
    rows = [
        [str(run["seed"]), who, str(run[who]["users"]), *(run[who][name] for name in ("without", "with", "ratio"))]
        for run in found["runs"]
        for who in ("known", "new")
    ]
    return [
        "## What profiles of customers bring",
        "",
        f"Planted tastes (three brands, a price band) and clicks by them, on {found['source']}. nDCG@10 on later",
        f"searches of customers with at least {_CLICKS} clicks (known) and of customers who were never seen (new), by",
        "the ranker with the features of customers, and by the same trained without.",
        "",
        *table(["seed", "customers", "number", "without", "with", "ratio"], rows),
        "",
    ]


if __name__ == "__main__":
    result = measure()
    print("\n".join(section(result)))
    print(json.dumps(result["figures"], indent=1))

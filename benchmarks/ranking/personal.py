"""What the profiles of customers bring to those who have one, and what they cost those who have none.

The worlds are those of `personal_world`. Tastes reach no feature: profiles are learned from the clicks in an event log,
by the learners of the service, while the customers search. Searches are held out by time. What nobody could surpass is
told beside: `personal_bound`. `python -m benchmarks.ranking.personal` prints.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ranking.personal_bound import bound
from benchmarks.ranking.personal_world import (
    ARM,
    CHEAP,
    CLICKS,
    EVERY_S,
    FOUND,
    HELD_OUT,
    PAGE,
    SEARCHES,
    USERS,
    World,
    catalogue,
    looked,
    ndcg,
    world,
)
from benchmarks.tables import table
from core.episodes import Episode, EventId, Feedback, Impression
from core.seeds import generator
from core.types import ArmReport, ArmStatus, Candidate, Choice, Features, Floats, ItemId, Plan, Query
from feedback.join import every_closed
from feedback.reward import RewardRule
from feedback.sqlite_store import SqliteEventStore
from ranking.behaviour_model import BehaviourLearner
from ranking.features.extractor import FeatureExtractor
from ranking.learner import RankerLearner
from ranking.ltr import LambdaMart
from ranking.profiles import ProfilesLearner

SEEDS = (1, 2, 3)
_LEARN_EVERY = 500
_DAY_S = 86_400.0
_OF_USERS = ("affinity.", "session.")


def measure(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """nDCG@10 by world and seed: of the model, and of the same model without features of users, for the known and for
    new ones; and what the known could have at best.

    `personal.ratio` and `personal.new_ratio` are the least of any seed where tastes differ, `personal.agreeing_ratio`
    where they agree.
    """
    items, source = catalogue()
    runs = [_run(world(items, cheap, seed), name) for name, cheap in CHEAP.items() for seed in seeds]

    def least(name: str, who: str) -> float:
        return min(float(run[who]["ratio"]) for run in runs if run["world"] == name)

    return {
        "figures": {
            "personal.ratio": least("tastes differ", "known"),
            "personal.new_ratio": least("tastes differ", "new"),
            "personal.agreeing_ratio": least("tastes agree", "known"),
        },
        "source": source,
        "runs": runs,
    }


def _run(world: World, name: str) -> dict[str, Any]:
    extractor = FeatureExtractor((ARM,))
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
    both = {"with": _trained(episodes, extractor, own=True), "without": _trained(episodes, extractor, own=False)}
    known = [user for user, count in sorted(clicks.items()) if count >= CLICKS]
    without, best = bound(world)
    return {
        "world": name,
        "seed": world.seed,
        "known": {**_compared(world, extractor, both, known), "users": len(known), "bound": best / without},
        "new": {**_compared(world, extractor, both, [f"new-{n}" for n in range(100)]), "users": 100},
    }


def _live(
    world: World, extractor: FeatureExtractor, store: SqliteEventStore, learners: Sequence[Any]
) -> tuple[Counter[str], list[Episode]]:
    """Clicks by user, and the log as episodes. Every so often the learners' models are loaded, as the service does."""
    random = generator(world.seed, "clicks")
    clicks: Counter[str] = Counter()
    episodes: list[Episode] = []
    rule = RewardRule({"click": 1.0})
    for number in range(SEARCHES):
        user = f"user-{random.integers(USERS)}"
        query, candidates = world.search(number, user, number * EVERY_S)
        features = extractor.extract(query, candidates)
        page = [candidate.item for candidate in candidates[:PAGE]]
        taken = np.flatnonzero(random.random(len(page)) < looked(len(page)) * world.appeal(user, page)).tolist()
        store.append_impression(_impression(query, candidates, features))
        store.append_feedback([_click(query, page[row].id, row) for row in taken])
        clicks[user] += len(taken)
        if (number + 1) % _LEARN_EVERY == 0:
            now = (number + 1) * EVERY_S
            closed = list(every_closed(store, now=now, window_s=EVERY_S / 2, rule=rule))[len(episodes) :]
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
    world: World, extractor: FeatureExtractor, models: Mapping[str, LambdaMart], users: Sequence[str]
) -> dict[str, float]:
    """Mean nDCG@10 of later searches by these users, the gain being what truly appeals."""
    random = generator(world.seed, "held out")
    values = defaultdict(list)
    for number in range(SEARCHES, SEARCHES + HELD_OUT):
        user = users[int(random.integers(len(users)))]
        query, candidates = world.search(number, user, number * EVERY_S)
        features = extractor.extract(query, candidates).values
        appeal = world.appeal(user, [candidate.item for candidate in candidates])
        values["with"].append(ndcg(models["with"].predict(features), appeal))
        values["without"].append(ndcg(models["without"].predict(_without_users(features, extractor)), appeal))
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


def _impression(query: Query, candidates: Sequence[Candidate], features: Features) -> Impression:
    shown = candidates[:PAGE]
    return Impression(
        query=query,
        choice=Choice(Plan(ARM, {ARM: FOUND}), 1.0, "fixed"),
        context=Features((), np.empty(0, dtype=np.float32)),
        shown=tuple(candidate.item.id for candidate in shown),
        features=replace(features, values=features.values[:PAGE]),
        ranks={ARM: tuple(candidate.ranks[ARM] for candidate in shown)},
        arms={ARM: ArmReport(ArmStatus.OK, FOUND, len(candidates), 1.0)},
        ranker="none",
        release=0,
        config="personal",
    )


def _click(query: Query, item_id: ItemId, row: int) -> Feedback:
    event = EventId(f"{query.id}-{row}")
    return Feedback(event, query.id, item_id, "click", query.time + 5, query.time + 5, user_id=query.user_id)


def section(found: Mapping[str, Any]) -> list[str]:
    """The part of a page in docs/."""
    rows = [
        [run["world"], str(run["seed"]), who, str(run[who]["users"])]
        + [run[who].get(name, "") for name in ("without", "with", "ratio", "bound")]
        for run in found["runs"]
        for who in ("known", "new")
    ]
    agree, differ = CHEAP["tastes agree"], CHEAP["tastes differ"]
    return [
        "## What profiles of customers bring",
        "",
        f"Planted tastes (three brands, a price band) and clicks by them, on {found['source']}. nDCG@10 on later",
        f"searches of customers with at least {CLICKS} clicks (known) and of customers who were never seen (new), by",
        "the ranker with the features of customers, and by the same trained without. The bound is what somebody who",
        "knows how the world was made, all but the tastes, would reach from the same clicks. Where tastes agree,",
        f"everybody clicks what is cheap {agree} more often, where they differ {differ}.",
        "",
        *table(["world", "seed", "customers", "number", "without", "with", "ratio", "bound"], rows),
        "",
    ]


if __name__ == "__main__":
    result = measure()
    print("\n".join(section(result)))
    print(json.dumps(result["figures"], indent=1))

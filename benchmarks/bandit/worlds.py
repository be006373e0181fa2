"""A simulated search service whose truth is known: what every plan is worth for every search can be looked up.

Somebody searches with an intent that the policy sees only through noisy features. Each arm has the wanted item at some
rank, deeper or not at all, as the intent has it; arms of one family find much the same. A wanted item that is in the
union is shown at some position and clicked as that position is looked at. The memory arm knows the wanted item the
better the more often it was clicked for the query, so that it is the policy's own doing. One arm answers with rubbish
for a while. Cost is the arms' time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bandit.plans import PlanLibrary
from core.episodes import Episode, Impression, Shadow
from core.seeds import generator
from core.types import ArmReport, ArmStatus, Choice, Features, ItemId, Plan, Query, QueryId

Doubles = NDArray[np.float64]

ARMS = ("lexical", "structured", "vector", "sparse", "related", "explore", "popular", "memory")
_MEMORY = ARMS.index("memory")
DEPTHS = (10, 20, 50, 100)
INTENTS = ("exact", "topical", "attribute", "head", "session", "vague")
_SHARES = np.array([0.18, 0.22, 0.18, 0.17, 0.15, 0.10])
# [intents, arms] how often the arm has the wanted item at all; the memory's is below.
_REACH = np.array(
    [
        [0.95, 0.30, 0.40, 0.90, 0.10, 0.10, 0.05, 0.0],
        [0.55, 0.25, 0.80, 0.65, 0.30, 0.20, 0.10, 0.0],
        [0.40, 0.90, 0.50, 0.45, 0.20, 0.15, 0.10, 0.0],
        [0.70, 0.30, 0.60, 0.70, 0.35, 0.10, 0.60, 0.0],
        [0.35, 0.20, 0.55, 0.40, 0.85, 0.15, 0.15, 0.0],
        [0.20, 0.15, 0.45, 0.30, 0.30, 0.60, 0.40, 0.0],
    ]
)
_RANK_SCALE = np.array([12.0, 10.0, 25.0, 15.0, 15.0, 40.0, 20.0, 5.0])  # typical rank of what is found
# Arms of a family find together: the normal score behind a rank is this much the family's.
_FAMILY = np.array([0, 0, 1, 0, 1, 2, 2, 3])
_TOGETHER = np.array([0.85, 0.40, 0.60, 0.85, 0.40, 0.20, 0.20, 0.0])
_BASE_MS = np.array([1.0, 1.5, 5.0, 2.0, 3.0, 6.0, 0.5, 0.5])
_MS_PER_CANDIDATE = np.array([0.010, 0.010, 0.005, 0.020, 0.030, 0.020, 0.005, 0.005])
_SATISFIED = np.array([0.95, 0.85, 0.90, 0.95, 0.80, 0.70])  # P(the wanted item is clicked | it is looked at)
_MEMORY_REACH, _MEMORY_HALF = 0.6, 2.0  # at most, and clicks until half of it
_QUERIES = 200  # of each intent, asked by Zipf's law
# What the policy sees of a query is flags, as `has a model number` or `is one word`: each intent has two that are set
# more often than by chance.
_FLAGS = 2 * len(INTENTS)
_TYPICAL, _BY_CHANCE = 0.80, 0.12
_SET = np.where(np.arange(_FLAGS) // 2 == np.arange(len(INTENTS))[:, None], _TYPICAL, _BY_CHANCE)  # [intents, flags]
_POSITIONS = 10
_POSITION_SHARES = 0.35 ** np.arange(_POSITIONS) * 0.65 / (1 - 0.35**_POSITIONS)  # where the ranker puts what is wanted
_LOOKED_AT = 1 / np.arange(1, _POSITIONS + 1)
_DISCOUNT = 1 / np.log2(1 + np.arange(1, _POSITIONS + 1))
_MISTAKEN = 0.03  # P(a click on what nobody wanted)
_TRUTH_DRAWS = 40_000
COST_PER_MS = 0.016
_NOWHERE = 10**9
BROKEN = "vector"
SHADOWED = 0.02


def library() -> PlanLibrary:
    """32 plans that someone who knows nothing of the world would write down: all, single, pairs and triples of arms."""
    others = [arm for arm in ARMS if arm not in ("lexical", "vector")]
    depths: list[dict[str, int]] = [dict.fromkeys(ARMS, depth) for depth in (10, 50, 100)]
    depths += [{arm: 50} for arm in ARMS]
    depths += [{"lexical": 50, arm: 20} for arm in ARMS if arm != "lexical"]
    depths += [{"vector": 50, arm: 20} for arm in others]
    depths += [{"lexical": 50, "vector": 50, arm: 20} for arm in others]
    depths += [{"lexical": 20, "memory": 10}, {"lexical": 100, "vector": 100}]
    plans = tuple(Plan("-".join(f"{arm}{depth}" for arm, depth in each.items()), each) for each in depths)
    return PlanLibrary(plans, default=plans[-1].name, arms=ARMS)


@dataclass(frozen=True)
class World:
    """What is the same for every policy: the searches in order, and where each arm has what is wanted."""

    plans: PlanLibrary
    intents: NDArray[np.int64]  # [T]
    queries: NDArray[np.int64]  # [T]
    flags: Doubles  # [T, flags] 0 or 1
    ranks: NDArray[np.int64]  # [T, arms] of the wanted item, _NOWHERE if the arm hasn't it; memory's if it knows it
    chances: Doubles  # [T, 5] uniform: does the memory know, position, clicked, a mistaken click, shadowed
    noise: Doubles  # [T, arms] that the times are multiplied with
    broken: range
    asked: NDArray[np.int64] = field(init=False)  # [plans, arms] depths
    cost: Doubles = field(init=False)  # [plans] in reward
    _covered: Doubles = field(init=False)  # [2, intents, plans] without memory; whole and broken
    _numbers: dict[str, int] = field(init=False)
    _memory_depth: Doubles = field(init=False)  # [plans] P(rank <= depth | the memory knows)

    @classmethod
    def draw(cls, searches: int, seed: int, plans: PlanLibrary, *, broken: range = range(0)) -> World:
        random = generator(seed, "world")
        intents = random.choice(len(INTENTS), size=searches, p=_SHARES)
        shares = 1 / np.arange(1, _QUERIES + 1)
        queries = intents * _QUERIES + random.choice(_QUERIES, size=searches, p=shares / shares.sum())
        flags = (random.random((searches, _FLAGS)) < _SET[intents]).astype(np.float64)
        ranks = _ranks(intents, random)
        ranks[broken.start : broken.stop, ARMS.index(BROKEN)] = _NOWHERE
        noise = random.lognormal(sigma=0.3, size=(searches, len(ARMS)))
        return cls(plans, intents, queries, flags, ranks, random.random((searches, 5)), noise, broken)

    def __post_init__(self) -> None:
        asked = np.array([[plan.depths.get(arm, 0) for arm in ARMS] for plan in self.plans.plans])
        milliseconds = np.where(asked > 0, _BASE_MS + _MS_PER_CANDIDATE * asked, 0).sum(axis=1)
        object.__setattr__(self, "asked", asked)
        object.__setattr__(self, "_numbers", {plan.name: n for n, plan in enumerate(self.plans.plans)})
        object.__setattr__(self, "cost", COST_PER_MS * milliseconds)
        object.__setattr__(self, "_covered", np.stack([_coverage(asked, down) for down in (False, True)]))
        object.__setattr__(self, "_memory_depth", 1 - np.exp(-asked[:, _MEMORY] / _RANK_SCALE[_MEMORY]))

    def __len__(self) -> int:
        return len(self.intents)

    def values(self, search: int, clicks: int) -> Doubles:
        """[plans] expected reward minus cost, for somebody who knows the intent; `clicks` the query has had."""
        rewards: Doubles = self._reward(search, clicks)[self.intents[search]]
        return rewards - self.cost

    def believed(self, search: int, clicks: int) -> Doubles:
        """[plans] the same for Bayes, who knows the world and sees what the policy sees."""
        belief = _SHARES * np.where(self.flags[search] > 0, _SET, 1 - _SET).prod(axis=1)
        rewards: Doubles = (belief / belief.sum()) @ self._reward(search, clicks)
        return rewards - self.cost

    def _reward(self, search: int, clicks: int) -> Doubles:
        """[intents, plans]"""
        remembered = _remembered(clicks) * self._memory_depth
        covered = 1 - (1 - self._covered[int(search in self.broken)]) * (1 - remembered)
        rewards: Doubles = covered * _WORTH[:, None] + _MISTAKEN_WORTH
        return rewards

    def context(self, search: int, clicks: int) -> Features:
        """What a policy sees: the flags, and the memory's evidence."""
        values = np.append(self.flags[search], [clicks > 0, np.log1p(clicks) / 8, min(clicks, 10) / 10])
        return Features(_NAMES, values.astype(np.float32))

    def query(self, search: int) -> Query:
        return Query(QueryId(f"s{search}"), f"query {self.queries[search]}", float(search))

    def visit(self, search: int, clicks: int, choice: Choice) -> Episode:
        """What the log tells of the search: a click on what was wanted or not, ranks and times of the asked arms."""
        number = self._numbers[choice.plan.name]
        gains, rows = [0.0] * _POSITIONS, {arm: [0] * _POSITIONS for arm in choice.plan.depths}
        if self.satisfied(search, clicks, number):
            position = self._position(search)
            gains[position] = 1.0
            ranks = self.wanted(search, clicks)
            for arm, depth in choice.plan.depths.items():
                rank = int(ranks[ARMS.index(arm)])
                rows[arm][position] = rank if rank <= depth else 0
        if self.chances[search, 3] < _MISTAKEN:
            _mistake(search, gains, rows, choice.plan)
        return self._episode(search, clicks, choice, gains, rows)

    def satisfied(self, search: int, clicks: int, plan: int) -> bool:
        """Whether the wanted item is found by the plan, looked at and clicked."""
        looked = _SATISFIED[self.intents[search]] * _LOOKED_AT[self._position(search)]
        return bool(self.chances[search, 2] < looked and (self.wanted(search, clicks) <= self.asked[plan]).any())

    def _position(self, search: int) -> int:
        """From 0, where the wanted item is shown."""
        return min(int(np.searchsorted(np.cumsum(_POSITION_SHARES), self.chances[search, 1])), _POSITIONS - 1)

    def wanted(self, search: int, clicks: int) -> NDArray[np.int64]:
        """[arms] ranks of the wanted item if all were asked to any depth."""
        ranks: NDArray[np.int64] = self.ranks[search].copy()
        if self.chances[search, 0] >= _remembered(clicks):
            ranks[_MEMORY] = _NOWHERE
        return ranks

    def _episode(
        self, search: int, clicks: int, choice: Choice, gains: list[float], rows: dict[str, list[int]]
    ) -> Episode:
        reports = {}
        for arm, depth in choice.plan.depths.items():
            n = ARMS.index(arm)
            took = float((_BASE_MS[n] + _MS_PER_CANDIDATE[n] * depth) * self.noise[search, n])
            reports[arm] = ArmReport(ArmStatus.OK, depth, depth, took)
        impression = Impression(
            query=self.query(search),
            choice=choice,
            context=self.context(search, clicks),
            shown=_SHOWN,
            features=_NO_FEATURES,
            ranks={arm: tuple(row) for arm, row in rows.items()},
            arms=reports,
            ranker="world",
            release=0,
            config="world",
        )
        reward = float(min(1.0, (np.array(gains) * _DISCOUNT).sum()))
        shadow = self._shadow(search, clicks, gains) if self.chances[search, 4] < SHADOWED else None
        return Episode(impression, (), tuple(gains), tuple(_LOOKED_AT.tolist()), reward, shadow)

    def _shadow(self, search: int, clicks: int, gains: list[float]) -> Shadow:
        """Where every arm, asked to full depth, has what was shown; nobody has what was clicked by mistake."""
        ranks = self.wanted(search, clicks)
        position = self._position(search)
        rows = {arm: [0] * _POSITIONS for arm in ARMS}
        for arm, rank in zip(ARMS, ranks.tolist(), strict=True):
            rows[arm][position] = rank if rank <= DEPTHS[-1] and gains[position] else 0
        took = (_BASE_MS + _MS_PER_CANDIDATE * DEPTHS[-1]) * self.noise[search]
        times = dict(zip(ARMS, took.tolist(), strict=True))
        return Shadow(
            self.query(search).id,
            {arm: tuple(row) for arm, row in rows.items()},
            dict.fromkeys(ARMS, DEPTHS[-1]),
            times,
            float(search),
        )


_NAMES = (*(f"query.flag{n}" for n in range(_FLAGS)), "memory.observed", "memory.evidence", "memory.clicks")
_SHOWN = tuple(ItemId(f"i{n}") for n in range(_POSITIONS))
_NO_FEATURES = Features((), np.zeros((_POSITIONS, 0), dtype=np.float32))
# [intents] expected reward once the wanted item is in the union; and that of a mistaken click, at any position.
_WORTH = _SATISFIED * float((_POSITION_SHARES * _LOOKED_AT * _DISCOUNT).sum())
_MISTAKEN_WORTH = _MISTAKEN * float(_DISCOUNT.mean())


def _remembered(clicks: int) -> float:
    return _MEMORY_REACH * clicks / (clicks + _MEMORY_HALF)


def _ranks(intents: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """[n, arms] by a Gaussian copula: each arm's own distribution, arms of a family together."""
    count = len(intents)
    family = random.standard_normal((count, _FAMILY.max() + 1))[:, _FAMILY]
    score = _TOGETHER * family + np.sqrt(1 - _TOGETHER**2) * random.standard_normal((count, len(ARMS)))
    share = _normal(score)  # the smaller, the better
    reach = _REACH[intents]
    reach[:, _MEMORY] = 1.0  # whether it knows is drawn by itself
    found = share < reach
    inside = np.where(found, share / np.maximum(reach, 1e-9), 0.5)
    ranks = np.ceil(-_RANK_SCALE * np.log1p(-np.clip(inside, 0, 1 - 1e-12))).astype(np.int64)
    return np.where(found, np.maximum(ranks, 1), _NOWHERE)


def _normal(score: Doubles) -> Doubles:
    """The standard normal distribution function, by its own sample: ranks of ranks are exact enough and need no erf."""
    order = np.argsort(np.argsort(score, axis=0), axis=0)
    share: Doubles = (order + 0.5) / len(score)
    return share


def _coverage(asked: NDArray[np.int64], down: bool) -> Doubles:
    """[intents, plans] P(the wanted item is in the union) without the memory, by so many draws that it is the truth."""
    random = generator(0, "truth")
    covered = []
    for intent in range(len(INTENTS)):
        ranks = _ranks(np.full(_TRUTH_DRAWS, intent), random)
        ranks[:, _MEMORY] = _NOWHERE
        if down:
            ranks[:, ARMS.index(BROKEN)] = _NOWHERE
        covered.append([(ranks <= plan).any(axis=1).mean() for plan in asked])
    return np.array(covered)


def _mistake(search: int, gains: list[float], rows: dict[str, list[int]], plan: Plan) -> None:
    """Somebody clicks on anything, which one of the asked arms has at some rank."""
    random = generator(search, "mistake")
    position = int(random.integers(_POSITIONS))
    arm = str(random.choice(list(plan.depths)))
    gains[position] = 1.0
    rows[arm][position] = int(random.integers(1, plan.depths[arm] + 1))

"""How well the log tells where people look: estimated examination against the click model that made the clicks.

`python -m benchmarks.ranking.examination` prints `examination.max_rel_error`. The ratings of chorus-icecat are read
from $BOWERBIRD_DATA (default ../shared/data).
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from benchmarks.loop import DATA, RATINGS
from benchmarks.tables import table
from core.episodes import Episode, Impression
from core.rates import examination
from core.seeds import generator
from core.types import Choice, Features, ItemId, Plan, Query, QueryId
from feedback.position_bias import PositionBias, assumed_curve
from ranking.metrics import Judgments, answerable, read_judgments
from simulation.clicks import PositionBasedClicks
from simulation.traffic import zipf

SEVERITIES = (0.5, 1.0, 1.5)
_SEARCHES, _SEEDS, _PAGE = 20_000, (1, 2, 3), 10
_SWAP = 0.1
_PLANS, _SHARES = 4, (0.7, 0.1, 0.1, 0.1)
_RELEASED_EVERY = 100  # searches, after which what was clicked so far moves up
_NOISE = 0.35  # of an order, beside ratings from 0 to 1
_NOTHING = Features((), np.empty(0, dtype=np.float32))
STATED = (
    f"{_SEARCHES} searches on a light world: Zipf traffic over the rated queries, their rated items in the order of"
    f" rating, noise and clicks, {_PLANS} plans of which one answers {_SHARES[0]:.0%}, a release every"
    f" {_RELEASED_EVERY} searches"
)


class Orders:
    """What plans answer: an order of a query's rated items by rating, a plan's own noise, and the clicks so far.

    As in a real service, clicks count from the next release on.
    """

    def __init__(self, judgments: Judgments, best: int, random: np.random.Generator) -> None:
        self._items = {text: list(ratings) for text, ratings in judgments.items()}
        self._score = {
            text: np.array(list(ratings.values())) / best + random.normal(0, _NOISE, (_PLANS, len(ratings)))
            for text, ratings in judgments.items()
        }
        self._clicked = {text: np.zeros(len(ratings)) for text, ratings in judgments.items()}
        self._looked = {text: np.zeros(len(ratings)) for text, ratings in judgments.items()}
        self._pages: dict[tuple[str, int], list[int]] = {}

    def page(self, text: str, plan: int) -> list[int]:
        """Rows of the query's items, the best ten."""
        if (text, plan) not in self._pages:
            learned = (self._clicked[text] + 0.2) / (self._looked[text] + 1)
            self._pages[text, plan] = np.argsort(-(self._score[text][plan] + learned))[:_PAGE].tolist()
        return list(self._pages[text, plan])

    def learn(self, text: str, page: Sequence[int], clicked: Sequence[int]) -> None:
        self._looked[text][page] += assumed_curve()[: len(page)]
        self._clicked[text][[page[n] for n in clicked]] += 1

    def release(self) -> None:
        self._pages = {}

    def items(self, text: str, page: Sequence[int]) -> list[str]:
        return [self._items[text][row] for row in page]


def searches(judgments: Judgments, *, severity: float, swap: float, seed: int) -> Iterator[Episode]:
    """Pages of ten and their clicks; `swap` of them with two neighbours in each other's place."""
    random = generator(seed, "examination")
    best = max(rating for ratings in judgments.values() for rating in ratings.values())
    clicks, orders = PositionBasedClicks(best, severity), Orders(judgments, best, random)
    for number, text in enumerate(islice(zipf(answerable(judgments), seed=seed), _SEARCHES)):
        if number % _RELEASED_EVERY == 0:
            orders.release()
        page = orders.page(text, int(random.choice(_PLANS, p=_SHARES)))
        swapped = 0
        if random.random() < swap and len(page) > 1:
            swapped = int(random.integers(1, len(page)))
            page[swapped - 1], page[swapped] = page[swapped], page[swapped - 1]
        shown = orders.items(text, page)
        clicked = clicks.clicked([judgments[text][item] for item in shown], random)
        orders.learn(text, page, clicked)
        chance = swap / max(1, len(page) - 1) if swapped else 1 - swap
        yield _episode(number, text, shown, clicked, swapped, chance)


def relative_errors(
    judgments: Judgments, *, severity: float, swap: float, seed: int
) -> tuple[list[float], list[float]]:
    """At positions 1 to 10: of the estimated curve, and of the assumed one."""
    bias = PositionBias(first_after=_SEARCHES + 1)  # once, at the end, is enough here
    for episode in searches(judgments, severity=severity, swap=swap, seed=seed):
        bias.correct([episode])
    truth = np.arange(1, _PAGE + 1) ** -severity
    curves = bias.estimated().curve, assumed_curve()
    estimated, assumed = (np.abs(curve[:_PAGE] / truth - 1).tolist() for curve in curves)
    return estimated, assumed


def measure() -> dict[str, Any]:
    """`figures`, and for every severity the worst relative error by seed, with and without swaps."""
    judgments = read_judgments(DATA / RATINGS)
    rows = []
    for severity in SEVERITIES:
        found: dict[str, Any] = {"severity": severity}
        for name, swap in (("plain", 0.0), ("swaps", _SWAP)):
            each = [relative_errors(judgments, severity=severity, swap=swap, seed=seed) for seed in _SEEDS]
            found[name] = [max(estimated) for estimated, _ in each]
            found["assumed"] = max(each[0][1])
        rows.append(found)
    figures = {
        "examination.max_rel_error": max(max(row["plain"]) for row in rows),
        "examination.max_rel_error_with_swaps": max(max(row["swaps"]) for row in rows),
    }
    return {"figures": figures, "rows": rows, "stated": STATED}


def section(found: dict[str, Any]) -> list[str]:
    """Markdown."""
    names = ("assumed", "plain", "swaps")
    head = ["severity", "assumed curve", "estimated", f"estimated, {_SWAP:.0%} of the pages with a swap"]
    cells = [[f"{row['severity']:g}", *(_cell(row[name]) for name in names)] for row in found["rows"]]
    told = f"Worst relative error at positions 1 to {_PAGE}, the mean of three seeds and the worst. {found['stated']}."
    return ["## Where people look", "", told, "", *table(head, cells), ""]


def _cell(value: float | Sequence[float]) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{statistics.mean(value):.3f} ({max(value):.3f})"


def _episode(
    number: int, text: str, page: Sequence[str], clicked: Sequence[int], swapped: int, chance: float
) -> Episode:
    impression = Impression(
        query=Query(QueryId(str(number)), text, float(number)),
        choice=Choice(Plan("light", {}), 1.0, "light"),
        context=_NOTHING,
        shown=tuple(map(ItemId, page)),
        features=Features((), np.empty((len(page), 0), dtype=np.float32)),
        ranks={},
        arms={},
        ranker="light",
        release=number // _RELEASED_EVERY,
        config="",
        swapped=swapped,
        swap_propensity=chance,
    )
    gains = tuple(float(row in clicked) for row in range(len(page)))
    return Episode(impression, (), gains, tuple(examination(n) for n in range(1, len(page) + 1)), max(gains))


if __name__ == "__main__":
    result = measure()
    print(json.dumps({"figures": result["figures"], "rows": result["rows"]}, indent=1))
    print("\n".join(section(result)))

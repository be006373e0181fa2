"""What is learned of popularity: over all, lately, and per context."""

from __future__ import annotations

import numpy as np
import pytest
from popularity_world import DAY, learner, model_of, searches, usual_days

from core.rates import Rates, decode_rates
from core.types import ItemId
from retrievers.popularity.popularity_model import MAX_CONTEXTS, PopularityLearner, PopularityModel
from retrievers.popularity.trends import MOST_LIFT, Trend, lifts


def trends_of(learned: PopularityLearner) -> dict[str, Trend]:
    return {trend.item_id: trend for trend in PopularityModel.load(model_of(learned)).trends}


def test_more_of_everything_is_no_trend() -> None:
    learned = learner()
    usual_days(learned, range(30))
    for _ in range(20):
        usual_days(learned, range(30, 31))
    assert trends_of(learned) == {}


def test_a_single_client_makes_no_trend() -> None:
    def after(client: str | None) -> dict[str, Trend]:
        learned = learner()
        usual_days(learned, range(30))
        learned.learn(searches(["i9"] * 50, day=30, client=client))
        return trends_of(learned)

    assert after("one") == {}
    assert set(after(None)) == {"i9"}


def test_a_handful_of_takes_makes_no_trend() -> None:
    learned = learner()
    usual_days(learned, range(30))
    learned.learn(searches(["i9"] * 4, day=30))
    assert trends_of(learned) == {}


def test_what_the_arm_itself_brings_about_is_no_trend() -> None:
    """The same takes: of items that only this arm showed, at the rate they always had; or found by another arm."""

    def after(arm: str) -> set[str]:
        learned = learner()
        usual_days(learned, range(30))
        for day in range(10, 30):
            learned.learn(searches(["i9", *["nothing"] * 9], day=day, arm="popular"))
        learned.learn(searches(["i9", *["nothing"] * 9] * 40, day=30, arm=arm))
        return set(trends_of(learned))

    assert after("popular") == set()
    assert "i9" in after("vector")


def test_lifts_are_the_lower_limit_of_a_gamma_posterior() -> None:
    rng = np.random.default_rng(1)
    for takes, expected in ((8, 1.0), (14, 3.2), (30, 12.0), (200, 120.0)):
        drawn = rng.gamma(takes + 0.5, size=200_000) / (expected + 0.5)
        limit = np.clip(np.quantile(drawn, 0.025), 1.0, MOST_LIFT)
        assert lifts([Trend(ItemId("a"), takes, expected)])[0] == pytest.approx(limit, rel=0.05)
    assert lifts([Trend(ItemId("a"), 1e6, 0.0), Trend(ItemId("b"), 6.0, 5.0)]).tolist() == [MOST_LIFT, 1.0]


def test_what_every_search_says_is_no_context() -> None:
    learned = learner()
    learned.learn(searches(["i1"] * 20, day=0, app="shop"))
    assert PopularityModel.load(model_of(learned)).contexts == {}


def test_the_oldest_contexts_are_forgotten() -> None:
    learned = learner()
    for n in range(MAX_CONTEXTS + 10):
        learned.learn(searches(["i1"] * 3, day=n / 100, campaign=f"c{n}"))
    names = {value for _, value in PopularityModel.load(model_of(learned)).contexts}
    assert "c0" not in names
    assert f"c{MAX_CONTEXTS + 9}" in names
    assert len(names) < MAX_CONTEXTS


def test_what_counts_least_is_forgotten() -> None:
    rates = Rates[str](half_life_s=DAY)
    for key, examined, day in (("old", 100.0, 0), ("often", 9.0, 9), ("twice", 2.0, 10), ("once", 1.0, 10)):
        rates.add(key, gain=0.0, examined=examined, time=day * DAY)
    rates.prune(10 * DAY, least=0.5, most=10)
    assert set(rates.evidence) == {"often", "twice", "once"}  # of the old one, 100 / 1024 is left
    rates.prune(10 * DAY, least=0.5, most=2)
    assert set(rates.evidence) == {"often", "twice"}


def test_others_read_the_plain_rates_of_the_same_bytes() -> None:
    learned = learner()
    learned.learn(searches(["i1"] * 6, day=0, device="mobile") + searches(["i0"] * 4, day=0))
    rates = decode_rates(model_of(learned))
    counted = dict(zip(rates.items, zip(rates.gains, rates.examined, strict=True), strict=True))
    assert counted["i1"] == (6.0, 10.0)
    assert counted["i0"] == (4.0, 10.0)


def test_a_model_comes_back_as_it_was() -> None:
    learned = learner()
    usual_days(learned, range(10))
    learned.learn(searches(["i9"] * 30, day=10, device="mobile"))
    data = model_of(learned)
    model = PopularityModel.load(data)
    assert model.contexts
    assert model.trends
    assert model.dump() == data
    assert learned.snapshot() is None


def test_the_log_decides_what_is_learned_not_how_it_is_cut() -> None:
    episodes = [each for day in range(5) for each in searches(["i0", "i1", "i9"], day=day, device=f"d{day % 2}")]
    whole, parts = learner(), learner()
    whole.learn(episodes)
    for each in episodes:
        parts.learn([each])
    assert whole.snapshot() == parts.snapshot()

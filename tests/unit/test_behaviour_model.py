"""What is counted of what people did, and the features that are made of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import click, episode
from words import item, query

from core.episodes import Episode
from core.types import Candidate, ItemId
from ranking.behaviour_model import CLICKS, DISMISSALS, EXAMINED, PURCHASES, BehaviourLearner, BehaviourModel
from ranking.features.extractor import FeatureExtractor

DAY = 86_400.0
ITEMS = [item("a", "Lamp", kind="lamp"), item("b", "Lamp", kind="lamp"), item("c", "Sofa", kind="sofa")]


def searched(n: int, *clicked: str, text: str = "lamp", client: str | None = None, time: float = 0.0) -> Episode:
    shown = ("a", "b")
    gains = [float(each in clicked) for each in shown]
    return episode(query_id=str(n), text=text, shown=shown, gains=gains, client_id=client, time=time)


def learned(episodes: list[Episode], *, client_cap: int = 100) -> BehaviourModel:
    learner = BehaviourLearner(half_life_s=30 * DAY, client_cap=client_cap)
    learner.learn(episodes)
    model = learner.snapshot()
    assert model is not None
    assert learner.snapshot() is None
    return BehaviourModel.load(model)


def counted(model: BehaviourModel, item_id: str) -> list[float]:
    return model.items[model.item_ids.index(ItemId(item_id))].tolist()


def features(model: BehaviourModel, text: str) -> dict[str, dict[str, float]]:
    extractor = FeatureExtractor(())
    extractor.apply(ITEMS, [])
    extractor.loads["behaviour"](model.dump())
    found = extractor.extract(query(text), [Candidate(each, {}, {}) for each in ITEMS])
    return {
        each.id: dict(zip(found.names, row.tolist(), strict=True))
        for each, row in zip(ITEMS, found.values, strict=True)
    }


def test_actions_are_counted_over_what_was_looked_at() -> None:
    bought = replace(searched(1, "a"), feedback=(click("1", "a"), click("1", "a", action="purchase")))
    dismissed = replace(searched(2), feedback=(click("2", "b", action="dismiss"),))
    model = learned([bought, dismissed])
    assert counted(model, "a") == pytest.approx([2, 1, 1, 0])
    second = 2 / np.log2(3)
    assert counted(model, "b") == pytest.approx([second, 0, 0, 1])
    assert (EXAMINED, CLICKS, PURCHASES, DISMISSALS) == (0, 1, 2, 3)


def test_what_is_a_half_life_old_counts_half_in_whatever_order_it_comes() -> None:
    old, new = searched(1, "a"), searched(2, "b", time=30 * DAY)
    for order in ([old, new], [new, old]):
        assert counted(learned(order), "a") == pytest.approx([1.5, 0.5, 0, 0])


def test_one_client_counts_so_often_for_an_item_and_a_query() -> None:
    model = learned([searched(n, "b", client="fraud") for n in range(1_000)], client_cap=3)
    assert counted(model, "b")[CLICKS] == 3
    assert counted(model, "a")[EXAMINED] == 3


def test_rates_of_item_type_and_query() -> None:
    found = features(learned([searched(n, "b") for n in range(200)]), "Lamps")
    good, bad, other = found["b"], found["a"], found["c"]
    assert good["behaviour.clicks"] > 0.8 > 0.2 > bad["behaviour.clicks"]
    assert good["behaviour.query_clicks"] > 0.8 > 0.2 > bad["behaviour.query_clicks"]
    assert good["behaviour.type_clicks"] == bad["behaviour.type_clicks"]
    assert all(np.isnan(other[f"behaviour.{name}"]) for name in ("clicks", "type_clicks", "type_dismissals"))
    assert good["behaviour.query_doubt"] < other["behaviour.query_doubt"] <= 0.5
    assert good["behaviour.purchases"] == 0


def test_the_posterior_of_a_query_by_hand() -> None:
    found = features(learned([searched(n, "a") for n in range(10)]), "lamp")["a"]
    prior = np.clip(found["behaviour.clicks"], 0.01, 0.99)
    alpha, beta = 5 * prior + 10, 5 * (1 - prior)
    assert found["behaviour.query_clicks"] == pytest.approx(alpha / (alpha + beta), rel=1e-5)
    variance = alpha * beta / ((alpha + beta) ** 2 * (alpha + beta + 1))
    assert found["behaviour.query_doubt"] == pytest.approx(variance**0.5, rel=1e-5)


def test_for_a_query_that_nobody_asked_nothing_is_known_of_it() -> None:
    found = features(learned([searched(1, "a")]), "sofa")["a"]
    assert np.isnan(found["behaviour.query_clicks"])
    assert np.isnan(found["behaviour.query_doubt"])
    assert found["behaviour.clicks"] > 0


def test_what_was_counted_follows_the_catalogue() -> None:
    extractor = FeatureExtractor(())
    extractor.loads["behaviour"](learned([searched(n, "b") for n in range(50)]).dump())
    extractor.apply(ITEMS, [])
    extractor.apply([item("b", "Another title", kind="lamp")], [])
    known = extractor.extract(query("x"), [Candidate(ITEMS[1], {}, {})])
    column = known.names.index("behaviour.clicks")
    assert known.values[0, column] > 0.5
    extractor.loads["behaviour"](None)
    assert np.isnan(extractor.extract(query("x"), [Candidate(ITEMS[1], {}, {})]).values[0, column])

"""How the lexical arm weighs where a word is, and words that stand side by side."""

from __future__ import annotations

import numpy as np
import pytest
from words import query

import retrievers.lexical
from core.types import Item, ItemId, Review
from retrievers.lexical import LexicalRetriever, Weights

PLAIN = Weights(proximity=0, popularity=0)


def item(key: str, text: str, *labels: str, said: str = "") -> Item:
    reviews = (Review(said),) if said else ()
    return Item(ItemId(key), "thing", {"description": text}, {"made_of": labels} if labels else {}, reviews=reviews)


def arm(items: list[Item], weights: Weights) -> LexicalRetriever:
    made = LexicalRetriever(weights)
    made.apply(items, [])
    return made


def scores(retriever: LexicalRetriever, text: str) -> dict[str, float]:
    return {hit.item_id: hit.score for hit in retriever.retrieve(query(text), 1_000)}


def test_a_word_counts_where_it_does_best_and_once() -> None:
    found = scores(
        arm(
            [
                item("prose", "oak table"),
                item("both", "oak table", "oak", said="oak it is"),
                item("label", "round table", "oak"),
                item("voice", "plain table", said="looks like oak"),
                item("neither", "glass table"),
            ],
            PLAIN,
        ),
        "oak",
    )
    assert found["both"] == pytest.approx(found["prose"])
    assert found["prose"] > found["label"] > found["voice"] > 0
    assert "neither" not in found


def crowd() -> list[Item]:
    """Texts of 4 to 40 of twenty words: many items have any two of them, some side by side."""
    random = np.random.default_rng(5)
    return [
        item(f"i{n:03d}", " ".join(f"w{word}" for word in random.integers(0, 20, size=int(random.integers(4, 40)))))
        for n in range(600)
    ]


@pytest.mark.parametrize("text", ["w1 w2", "w3 w4 w5", "w6 w7 w8 w9", "w1 w1 w0"])
def test_a_short_answer_is_the_beginning_of_a_long_one(text: str) -> None:
    """Of 600 items, 5 come from what is best by words and what is best of those that have two side by side."""
    asked = arm(crowd(), Weights(proximity=1.0))
    whole = asked.retrieve(query(text), 600)
    assert [hit.item_id for hit in asked.retrieve(query(text), 5)] == [hit.item_id for hit in whole[:5]]
    assert [hit.item_id for hit in whole[:5]] != [
        hit.item_id for hit in arm(crowd(), PLAIN).retrieve(query(text), 5)
    ], "nothing stands side by side"


def dresses() -> list[Item]:
    return [item("beside", "black dress with a belt"), item("apart", "dress with a black belt")]


def test_words_side_by_side_are_worth_more() -> None:
    plain = scores(arm(dresses(), PLAIN), "black dress")
    assert plain["beside"] == pytest.approx(plain["apart"])
    found = scores(arm(dresses(), Weights(popularity=0)), "black dress")
    assert found["beside"] > found["apart"]


def test_two_very_common_words_are_not_looked_for_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = arm(dresses(), Weights(popularity=0))
    monkeypatch.setattr(retrievers.lexical, "_MOST_TOGETHER", 1)
    found = scores(asked, "black dress")
    assert found["beside"] == pytest.approx(found["apart"])


def test_filters_hold_for_words_side_by_side() -> None:
    catalogue = [item("red", "black dress", "red"), item("blue", "black dress", "blue")]
    found = arm(catalogue, Weights()).retrieve(query("black dress", made_of="blue"), 10)
    assert [hit.item_id for hit in found] == ["blue"]

"""Quality from customers' words, on words and shops whose truth is obvious."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from words import item, query

from core.errors import CorruptModel
from core.types import Candidate, Item, ItemId, Question, Review
from ranking.features.extractor import FeatureExtractor
from ranking.quality.bradley_terry import bradley_terry
from ranking.quality.build import Built, Recipe, build
from ranking.quality.model import QualityModel
from ranking.quality.score import rate, residuals, strength
from ranking.quality.terms import clumping, find_terms, log_odds
from ranking.quality.texts import Source, grams, is_term
from ranking.quality.word_weights import Bags, fit, vocabulary


def reviewed(item_id: str, kind: str, *texts: tuple[str, float | None], price: float | None = None) -> Item:
    numbers = {} if price is None else {"price": price}
    made = item(item_id, f"A {kind}", kind=kind, numbers=numbers)
    return replace(made, reviews=tuple(Review(text, rating) for text, rating in texts))


@pytest.fixture(scope="module")
def shop() -> list[Item]:
    """Shoes with good soles (even numbers) or broken zippers (odd), lamps, and one of each that nobody reviewed."""
    shoes = [
        reviewed(
            f"shoe-{n}", "shoe", *([("Great sole.", 5.0)] * 4 if n % 2 == 0 else [("The zipper broke.", 1.0)] * 4),
            ("Came in a box.", 3.0), price=10.0 + n,
        )
        for n in range(20)
    ]  # fmt: skip
    lamps = [
        reviewed(f"lamp-{n}", "lamp", ("Bright bulb.", 4.0), ("The cable is short.", 3.0), price=5.0 + n)
        for n in range(20)
    ]
    asked = replace(item("lamp-asked", "A lamp", kind="lamp"), questions=(Question("Which bulb?", ("Any bulb.",)),))
    return [*shoes, *lamps, asked, item("shoe-silent", "A shoe", kind="shoe")]


@pytest.fixture(scope="module")
def built(shop: list[Item]) -> Built:
    return build(shop, Recipe())


def features(built: Built, shop: list[Item], text: str) -> dict[str, dict[str, float]]:
    extractor = FeatureExtractor(())
    extractor.quality.load(built.model.encode())
    return quality_of(extractor, shop, text)


def quality_of(extractor: FeatureExtractor, shop: list[Item], text: str) -> dict[str, dict[str, float]]:
    found = extractor.extract(query(text), [Candidate(each, {}, {}) for each in shop])
    rows = [dict(zip(found.names, row, strict=True)) for row in found.values.tolist()]
    told = [{name: value for name, value in row.items() if name.startswith("quality.")} for row in rows]
    return {each.id: row for each, row in zip(shop, told, strict=True)}


def test_words_and_pairs_within_sentences() -> None:
    assert grams("Great soles. The zipper broke!") == {"great", "sole", "great sole", "zipper", "broke", "zipper broke"}
    assert [is_term(gram) for gram in ("zipper", "it was", "42", "a", "not great")] == [True] + [False] * 4


def test_log_odds_by_hand() -> None:
    # prior 5 of 100: (15 / 185) against (10 / 590), z = log of their ratio / sqrt(1/15 + 1/10)
    expected = math.log((15 / 185) / (10 / 590)) / math.sqrt(1 / 15 + 1 / 10)
    assert log_odds(10, 100, 5, 500, 5) == pytest.approx(expected)
    assert log_odds(7, 100, 7, 100, 3) == 0


def test_a_word_that_falls_by_chance_does_not_clump() -> None:
    all_items, mentions = 1_000, 300
    by_chance = all_items * (1 - math.exp(-mentions / all_items))
    assert clumping(mentions, by_chance, all_items) == pytest.approx(0)
    assert clumping(mentions, by_chance / 2, all_items) == pytest.approx(1)


def test_terms_belong_to_their_category_and_know_who_wrote_them(shop: list[Item]) -> None:
    found = find_terms(shop, lambda each: each.type, most=20, least=3)
    shoe, lamp = ({term.text: term for term in found[kind]} for kind in ("shoe", "lamp"))
    assert {"sole", "zipper"} <= shoe.keys()
    assert not {"sole", "zipper"} & lamp.keys()
    assert lamp["bulb"].counts == {Source.SELLER: 0, Source.REVIEW: 20, Source.QUESTION: 1}
    assert shoe["shoe"].counts[Source.SELLER] == 21


def test_a_single_category_has_terms_too(shop: list[Item]) -> None:
    found = find_terms(shop, lambda _: "all", most=20, least=3)
    assert {"sole", "zipper"} <= {term.text for term in found["all"]}


def test_a_configured_attribute_is_the_category() -> None:
    dress = item("a", "Dress", kind="product", cut="wrap")
    assert Recipe(category="cut").category_of(dress) == "wrap"
    assert Recipe(category="colour").category_of(dress) == Recipe().category_of(dress) == "product"


def test_ridge_is_the_solution_of_its_normal_equations() -> None:
    random = np.random.default_rng(1)
    words = [f"w{n}" for n in range(12)]
    texts = [set(random.choice(words, 4, replace=False).tolist()) for _ in range(60)]
    ratings = random.normal(3, 1, 60)
    known = random.random(60) < 0.8
    numbered = vocabulary(texts)
    dense = np.array([[(word in text) / 2 for word in numbered] for text in texts])[known]
    mean, weights = fit(Bags.of(texts, numbered), np.where(known, ratings, np.nan), known)
    target = ratings[known] - ratings[known].mean()
    expected = np.linalg.solve(dense.T @ dense + 2.0 * np.eye(12), dense.T @ target)
    np.testing.assert_allclose(weights, expected, atol=1e-3)
    assert mean == pytest.approx(ratings[known].mean())


def test_the_prior_counts_for_as_many_reviews_as_made_the_world() -> None:
    random = np.random.default_rng(2)
    items = np.repeat(np.arange(3_000), random.integers(2, 9, 3_000))
    values = random.normal(0, 0.5, 3_000)[items] + random.normal(0, 1.0, len(items))
    assert 3.5 < strength(values, items) < 4.5  # 1.0² / 0.5²


def test_few_ratings_are_drawn_towards_the_category() -> None:
    ratings, item_of = np.array([5.0] + [5.0] * 50 + [1.0] * 51), np.repeat([0, 1, 2], [1, 50, 51])
    scores = rate(ratings, np.full(len(ratings), np.nan), item_of, np.zeros(4, dtype=np.int64))
    one, many, bad, none = scores.rating.tolist()
    assert ratings.mean() < one < many < 5
    assert 1 < bad < ratings.mean()
    assert math.isnan(none)
    assert scores.reliability[3] == 0


def test_residuals_have_nothing_of_price() -> None:
    random = np.random.default_rng(3)
    category = np.repeat([0, 1], 1_500)
    price = random.normal(3, 1, 3_000)
    truth = random.normal(0, 0.5, 3_000)
    opinion = np.where(category == 0, 0.8, 0.2) * price + truth
    found = residuals(opinion, random.uniform(0.2, 1, 3_000), price, category)
    for kind in (0, 1):
        mine = category == kind
        assert abs(np.corrcoef(found[mine], price[mine])[0, 1]) < 0.02
        assert 0.85 < np.corrcoef(found[mine], truth[mine])[0, 1] < 1
    assert abs(np.corrcoef(opinion, price)[0, 1]) > 0.4


def test_a_small_category_borrows_the_slope_of_the_others() -> None:
    random = np.random.default_rng(4)
    price = random.normal(3, 1, 502)
    opinion = np.append(0.5 * price[:500], [0.0, 1.0])
    price[500:] = 2.0, 3.0
    found = residuals(opinion, np.ones(502), price, np.append(np.zeros(500, dtype=np.int64), [1, 1]))
    # Its own slope of 1 would leave nothing, that of the others, 0.5, leaves a quarter above and below.
    assert found[501] == pytest.approx(0.25, abs=0.05)
    assert found[501] == pytest.approx(-found[500])


def test_without_price_or_opinion() -> None:
    opinion, price = np.array([1.0, 3.0, np.nan, 2.0]), np.array([np.nan, np.nan, 3.0, np.nan])
    found = residuals(opinion, np.array([1.0, 1.0, 0.0, 0.5]), price, np.zeros(4, dtype=np.int64))
    np.testing.assert_allclose(found, [-1, 1, np.nan, 0])


def test_what_customers_praise_is_positive_and_what_they_blame_negative(built: Built) -> None:
    good, bad = built.model.words(ItemId("shoe-0")), built.model.words(ItemId("shoe-1"))
    assert good is not None
    assert bad is not None
    assert "sole" in {each.term for each in good.positive}
    assert "zipper" in {each.term for each in bad.negative}
    assert next(each for each in bad.negative if each.term == "zipper").sources == ("review",)
    assert good.rating > bad.rating
    assert good.reviews == 5


def test_one_review_can_praise_one_thing_and_blame_another(shop: list[Item]) -> None:
    mixed = reviewed("mixed", "shoe", *[("Great sole. The zipper broke.", 3.0)] * 6)
    felt = {each.term: each.sentiment for each in build([*shop, mixed], Recipe()).model.opinions(mixed.id)}
    assert felt["sole"] > 0 > felt["zipper"]


def test_what_is_asked_counts_but_says_nothing_of_sentiment(built: Built) -> None:
    asked = {each.term: each for each in built.model.opinions(ItemId("lamp-asked"))}
    assert asked["bulb"].question == 1
    assert math.isnan(asked["bulb"].sentiment)


def test_reviews_without_a_rating_count_by_their_words(shop: list[Item]) -> None:
    texts = [("Great sole.", None)] * 4, [("The zipper broke.", None)] * 4
    unrated = [reviewed(name, "shoe", *said, price=15.0) for name, said in zip(("good", "bad"), texts, strict=True)]
    model = build([*shop, *unrated], Recipe()).model
    good, bad = (model.words(each.id) for each in unrated)
    assert good is not None
    assert bad is not None
    assert good.rating > 3 > bad.rating


def test_features(built: Built, shop: list[Item]) -> None:
    found = features(built, shop, "shoe great sole")
    good, bad = found["shoe-0"], found["shoe-1"]
    assert good["quality.reviews"] == pytest.approx(math.log(6))
    assert good["quality.residual"] > 0 > bad["quality.residual"]
    assert good["quality.terms"] >= 2 / 3
    assert bad["quality.terms"] == bad["quality.sentiment"] == 0
    assert features(built, shop, "zipper")["shoe-1"]["quality.sentiment"] < 0
    assert features(built, shop, "")["shoe-0"]["quality.rating"] == good["quality.rating"]


def test_what_nobody_wrote_about_is_nan_never_0(built: Built, shop: list[Item]) -> None:
    assert all(math.isnan(value) for value in features(built, shop, "shoe")["shoe-silent"].values())
    asked = features(built, shop, "lamp bulb")["lamp-asked"]
    assert asked.pop("quality.reviews") == 0
    assert all(math.isnan(value) for value in asked.values())
    unloaded = quality_of(FeatureExtractor(()), shop[:1], "shoe")
    assert all(math.isnan(value) for value in unloaded[shop[0].id].values())


def test_a_model_comes_back_as_it_was(built: Built) -> None:
    again = QualityModel.decode(built.model.encode())
    assert again.encode() == built.model.encode()
    assert again.words(ItemId("shoe-0")) == built.model.words(ItemId("shoe-0"))
    with pytest.raises(CorruptModel, match="bowerbird quality build"):
        QualityModel.decode(b"nothing of the kind")


def test_a_shop_without_customers_words_has_an_empty_model() -> None:
    assert build([item("a", "Shoe")], Recipe()).model.items == ()


def test_bradley_terry_is_the_most_likely() -> None:
    random = np.random.default_rng(5)
    truth = random.normal(0, 1, 6)
    pairs = [tuple(random.choice(6, 2, replace=False).tolist()) for _ in range(600)]
    won = [(a, b) if random.random() < 1 / (1 + np.exp(truth[b] - truth[a])) else (b, a) for a, b in pairs]
    better, worse = np.array(won).T

    def loss(scores: np.ndarray) -> float:
        return float(np.log1p(np.exp(scores[worse] - scores[better])).sum() + (scores**2).sum() / (2 * 2.0**2))

    best = minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-8})
    found = bradley_terry([(ItemId(str(a)), ItemId(str(b))) for a, b in won])
    scores = np.array([found[ItemId(str(n))].score for n in range(6)])
    np.testing.assert_allclose(scores, best.x, atol=1e-4)
    errors = np.array([found[ItemId(str(n))].error for n in range(6)])
    step, unit = 1e-3, np.eye(6) * 1e-3
    hessian = np.array(
        [
            [loss(best.x + a + b) - loss(best.x + a - b) - loss(best.x - a + b) + loss(best.x - a - b) for b in unit]
            for a in unit
        ]
    ) / (4 * step**2)
    centre = np.eye(6) - 1 / 6
    np.testing.assert_allclose(errors, np.sqrt(np.diag(centre @ np.linalg.inv(hessian) @ centre)), rtol=1e-3)
    assert np.corrcoef(scores, truth)[0, 1] > 0.95


def test_bradley_terry_stays_finite_and_more_judgments_make_it_surer() -> None:
    once, often = (bradley_terry([(ItemId("a"), ItemId("b"))] * n) for n in (1, 50))
    assert once[ItemId("a")].score == pytest.approx(-once[ItemId("b")].score)
    assert 0 < once[ItemId("a")].score < often[ItemId("a")].score < 10
    assert bradley_terry([]) == {}
    both = [(ItemId("a"), ItemId("b")), (ItemId("b"), ItemId("a"))]
    assert bradley_terry(both)[ItemId("a")].score == pytest.approx(0)
    assert bradley_terry(both * 20)[ItemId("a")].error < bradley_terry(both)[ItemId("a")].error

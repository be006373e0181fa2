"""The generated shop's truth reaches nobody but the one who checks, and the figures are within bands."""

from __future__ import annotations

from benchmarks.ranking.quality import generated
from benchmarks.ranking.quality_world import world


def test_a_shop_is_the_same_for_the_same_seed() -> None:
    one, again, other = (world(seed, items=40, searches=10, judgments=10) for seed in (1, 1, 2))
    assert one == again
    assert one.items != other.items


def test_items_hold_nothing_of_the_truth() -> None:
    shop = world(1, items=60, searches=10, judgments=10)
    hidden = {round(value, 6) for truth in (shop.latent, shop.residual, shop.aspects) for value in truth.values()}
    for item in shop.items:
        assert set(item.numbers) == {"price"}
        shown = {*item.numbers.values(), *(review.rating for review in item.reviews if review.rating is not None)}
        assert not {round(value, 6) for value in shown} & hidden
        assert all(review.time is None for review in item.reviews)


def test_the_residual_foretells_purchases_better_than_ratings_and_judges() -> None:
    found = generated([7])
    # Bands: an AUC near 1 would mean that the truth leaks in.
    assert 0.6 < found["auc"]["residual"] < 0.8
    assert found["auc_gain_interval"][0] > 0.02
    assert found["auc"]["judged"] < found["auc"]["residual"]
    assert 0.5 < found["judged_with_log_price"][0] < 0.9
    assert abs(found["residual_with_log_price"][0]) < 0.05
    assert 0.1 < found["sentiment_with_truth_within_items"][0] < 0.9
    assert found["auc_gain_if_price_is_no_matter"][0] < 0

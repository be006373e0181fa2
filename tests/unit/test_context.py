"""Context features: whatever cannot be logged as a finite float32 is refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from words import query

from bandit.context import context_features
from core.errors import InvalidInput
from core.types import Features, ItemId, Query


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 1e300])
def test_a_signal_that_float32_cannot_hold_is_named(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"Context feature vector\.known is"):
        context_features(query("x"), {"vector": {"known": value}})


def test_the_order_of_the_arms_does_not_matter() -> None:
    one = context_features(query("x"), {"a": {"p": 1.0, "q": 2.0}, "b": {"r": 3.0}})
    other = context_features(query("x"), {"b": {"r": 3.0}, "a": {"q": 2.0, "p": 1.0}})
    assert one.names == other.names
    assert one.values.tolist() == other.values.tolist()


def test_other_alphabets_and_the_session_show() -> None:
    plain, telling = query("lamp"), replace(query("лампа a"), history=(ItemId("a"), ItemId("b")))
    before, after = (dict(zip(c.names, c.values, strict=True)) for c in (seen(plain), seen(telling)))
    assert (before["query.foreign_share"], before["query.session_items"]) == (0, 0)
    assert after["query.foreign_share"] == pytest.approx(5 / 6)
    assert after["query.session_items"] == pytest.approx(0.2)


def seen(asked: Query) -> Features:
    return context_features(asked, {})

"""Context features: whatever cannot be logged as a finite float32 is refused by name."""

from __future__ import annotations

import pytest
from words import query

from bandit.context import context_features
from core.errors import InvalidInput


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 1e300])
def test_a_signal_that_float32_cannot_hold_is_named(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"Context feature vector\.known is"):
        context_features(query("x"), {"vector": {"known": value}})


def test_the_order_of_the_arms_does_not_matter() -> None:
    one = context_features(query("x"), {"a": {"p": 1.0, "q": 2.0}, "b": {"r": 3.0}})
    other = context_features(query("x"), {"b": {"r": 3.0}, "a": {"q": 2.0, "p": 1.0}})
    assert one.names == other.names
    assert one.values.tolist() == other.values.tolist()

"""The numbers of keys are those of each of them, however many they are."""

from __future__ import annotations

import pytest

from core.lookup import look_up, look_up_many


@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 1_001, 2_500])
def test_every_key_has_its_number(count: int) -> None:
    known = {f"key-{n}": 3 * n for n in range(0, 4_000, 2)}
    keys = [f"key-{n}" for n in reversed(range(count))]
    right = [3 * n if n % 2 == 0 else -7 for n in reversed(range(count))]
    assert look_up(keys, known, missing=-7).tolist() == right
    assert look_up_many(keys, known, missing=-7).tolist() == right

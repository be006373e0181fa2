"""The numbers of many keys are those of each of them."""

from __future__ import annotations

import pytest

from core.numbers import numbers_of


@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 1_001, 2_500])
def test_every_key_has_its_number(count: int) -> None:
    known = {f"key-{n}": 3 * n for n in range(0, 4_000, 2)}
    keys = [f"key-{n}" for n in reversed(range(count))]
    found = numbers_of(keys, known, missing=-7)
    assert found.tolist() == [3 * n if n % 2 == 0 else -7 for n in reversed(range(count))]

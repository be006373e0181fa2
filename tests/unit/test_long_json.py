"""Long lists as JSON: what any reader of JSON reads again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.long_json import array_parts, mapping_parts, object_parts, write_list, write_lists

LONG = [*(f'item "{n}"' for n in range(12_345)), None, ["phrase", "two words"], "ü"]


@pytest.mark.parametrize("values", [[], ["one"], LONG[:5_000], LONG[:5_001], LONG])
def test_a_list(tmp_path: Path, values: list[Any]) -> None:
    write_list(tmp_path / "list.json", values)
    assert json.loads((tmp_path / "list.json").read_bytes()) == values


@pytest.mark.parametrize("lists", [{}, {"none": []}, {"ids": LONG, "none": [], "words": LONG[::-1]}])
def test_lists_by_name(tmp_path: Path, lists: dict[str, list[Any]]) -> None:
    write_lists(tmp_path / "lists.json", lists)
    assert json.loads((tmp_path / "lists.json").read_bytes()) == lists


@pytest.mark.parametrize("counts", [{}, {"one": {"a": 1}}, {str(n): {"a": n} for n in range(12_345)}])
def test_mappings_and_lists_of_what_comes_one_by_one(counts: dict[str, Any]) -> None:
    parts = object_parts({"counts": mapping_parts(counts), "names": array_parts(iter(LONG))})
    assert json.loads(b"".join(parts)) == {"counts": counts, "names": LONG}

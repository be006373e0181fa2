"""The text features, held to an obvious evaluation, while the catalogue changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from text_truth import text_features
from words import item, query

from core.types import Candidate, Item, Question, Review
from ranking.features.extractor import FeatureExtractor

SHOP = [
    item("a", "Desk Lamp, desk light", brand="Acme", colour="Red"),
    item("b", "Table lamps for the desk", brand="Bolt"),
    item("c", "Sofa", brand="Lamp", colour_id="desk"),
    item("d", "Beyoncé Ångström — Привет мир", brand="Häuser"),
    item("e", "", brand="Acme"),
    replace(
        item("f", "Floor lamp", brand="Core"),
        reviews=(Review("A desk would like it. Red!"),),
        questions=(Question("Is it a sofa?", ("No, a lamp",)),),
    ),
    replace(item("g", "XK-2000 toner 2 pc(s)"), fields={"title": "XK-2000 toner 2 pc(s)", "description": "for desk 7"}),
]
ASKED = [
    "desk lamp", "lamp", "desk light", "red desk lmap", "xk 2000", "xk2000", "the for", "", "привет lamp", "beyonce",
    "sofa sofa häuser", "unheard of", "desk lamp desk light", "pc s 7 toner", "привет миру",
]  # fmt: skip


def assert_true(extractor: FeatureExtractor, shop: Sequence[Item]) -> None:
    for text in ASKED:
        found = extractor.extract(query(text), [Candidate(each, {}, {}) for each in shop])
        for row, each in enumerate(shop):
            expected = text_features(text, each, shop)
            columns = [found.names.index(name) for name in expected]
            np.testing.assert_allclose(
                found.values[row, columns], list(expected.values()), rtol=1e-6, err_msg=f"{text!r} for {each.id}"
            )


def told() -> FeatureExtractor:
    extractor = FeatureExtractor(())
    extractor.apply(SHOP, [])
    return extractor


def test_as_an_obvious_evaluation_has_it() -> None:
    extractor = FeatureExtractor(())
    extractor.apply(SHOP, [])
    assert_true(extractor, SHOP)


def test_after_changes_and_a_restart(tmp_path: Path) -> None:
    extractor = FeatureExtractor(())
    extractor.apply([item("late", "A lamp that goes"), *SHOP[:4]], [])
    extractor.apply(SHOP[2:], ["late"])
    changed = [item("a", "Lamp oil", brand="Desk"), *SHOP[1:]]
    extractor.apply([item("a", "Overwritten at once"), changed[0]], ["b", "nobody"])
    extractor.apply([SHOP[1]], [])
    assert_true(extractor, changed)
    extractor.save(tmp_path)
    again = FeatureExtractor(())
    again.restore(tmp_path)
    assert_true(again, changed)
    again.apply([SHOP[0]], ["g"])
    assert_true(again, SHOP[:-1])


def test_what_is_written_late_is_of_its_moment(tmp_path: Path) -> None:
    extractor = FeatureExtractor((), rest_s=0.0)
    extractor.apply(SHOP, [])
    write = extractor.saving()
    for n in range(200):
        extractor.apply([item("a", f"Another{n} chair {n}", brand=f"Brand {n}", numbers={"price": float(n)})], ["b"])
    write(tmp_path)
    again = FeatureExtractor(())
    again.restore(tmp_path)
    assert_true(again, SHOP)
    before, expected = (each.extract(query("lamp"), [Candidate(a, {}, {}) for a in SHOP]) for each in (again, told()))
    np.testing.assert_array_equal(before.values, expected.values)


def test_an_empty_one_is_restored_empty(tmp_path: Path) -> None:
    FeatureExtractor(()).save(tmp_path)
    again = FeatureExtractor(())
    again.restore(tmp_path)
    again.apply(SHOP, [])
    assert_true(again, SHOP)


def test_a_folder_without_its_files_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    extractor = FeatureExtractor(())
    extractor.apply(SHOP, [])
    with pytest.raises(FileNotFoundError):
        extractor.restore(tmp_path)
    assert_true(extractor, SHOP)


def test_what_comes_and_goes_leaves_nothing_behind(tmp_path: Path) -> None:
    extractor = FeatureExtractor((), rest_s=0.0)
    extractor.apply(SHOP, [])
    for n in range(1_000):
        extractor.apply([item("new", f"Novelty{n} lamp number {n}", brand=f"Brand {n}")], [])
    extractor.apply([], ["new"])
    extractor.apply([], [])
    assert_true(extractor, SHOP)
    extractor.save(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 200_000


def test_an_item_that_the_catalogue_does_not_know_is_looked_at_as_it_comes() -> None:
    extractor = FeatureExtractor(())
    extractor.apply(SHOP[:3], [])
    alone = extractor.extract(query("desk sofa"), [Candidate(each, {}, {}) for each in SHOP[:3]])
    stranger = Candidate(item("x", "Desk sofa", brand="New"), {}, {})
    mixed = extractor.extract(query("desk sofa"), [stranger, *(Candidate(each, {}, {}) for each in SHOP[:3])])
    exact = mixed.names.index("text.title_exact")
    assert mixed.values[:, exact].tolist() == [1, 0, 0, 0]
    again = extractor.extract(query("desk sofa"), [Candidate(each, {}, {}) for each in SHOP[:3]])
    np.testing.assert_array_equal(again.values, alone.values)

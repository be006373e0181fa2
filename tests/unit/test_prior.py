"""The memory's cold start: which items a query is predicted for, how surely, and at what cost."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from words import item

from core.text import query_tokens
from core.types import Item, ItemId
from retrievers.q2e import term_table
from retrievers.q2e.known_queries import KnownQueries
from retrievers.q2e.predicted import item_terms
from retrievers.q2e.prior import Meaning, believed, meaning_of
from retrievers.q2e.term_table import TermTable

WORDS = ("red", "blue", "desk", "lamp", "oak", "case", "x100")
NOTHING = np.empty(0, dtype=np.int32)
titles = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
changes = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | titles), min_size=1, max_size=20)


def table_of(*items: Item) -> TermTable:
    table = TermTable()
    table.add({each.id: item_terms(each) for each in items})
    return table


def beliefs(table: TermTable, text: str, meanings: dict[str, Meaning] | None = None) -> dict[str, float]:
    """Item -> belief, best first."""
    _, found = believed(table, query_tokens(text), NOTHING, (meanings or {}).get)
    order = np.lexsort((table.ties[found.slots], -found.values))
    return {
        str(table.ids[slot]): float(value) for slot, value in zip(found.slots[order], found.values[order], strict=True)
    }


def order(table: TermTable, text: str) -> list[str]:
    return list(beliefs(table, text))


def test_the_title_that_is_all_of_the_query_comes_first() -> None:
    table = table_of(item("desk", "Desk lamp"), item("lamp", "Lamp"), item("oak", "Oak table"))
    assert order(table, "lamps") == ["lamp", "desk"]
    assert order(table, "sofa") == order(table, "") == []


def test_a_query_that_many_items_share_says_less_about_each() -> None:
    table = table_of(*(item(f"lamp{n}", f"Lamp model{n}") for n in range(20)), item("desk", "Desk oak"))
    assert len(beliefs(table, "lamp")) == 20
    assert max(beliefs(table, "lamp").values()) < beliefs(table, "desk")["desk"]


def test_a_query_backs_off_to_its_largest_predicted_part() -> None:
    notebooks = [item(f"hp{n}", f"HP{n} 250 HP notebook black") for n in range(3)]
    table = table_of(*notebooks, item("dell", "Dell monitor"), *(item(f"c{n}", f"Chair {n}") for n in range(9)))
    assert set(order(table, "hp notebook wide screen")) == {"hp0", "hp1", "hp2"}
    assert beliefs(table, "hp notebook wide screen")["hp0"] < beliefs(table, "hp notebook")["hp0"]


def test_what_has_little_of_the_query_is_not_believed() -> None:
    chairs = (item(f"c{n}", f"Chair {n}") for n in range(9))
    table = table_of(item("both", "HP notebook"), item("ink", "HP ink"), item("one", "Dell notebook"), *chairs)
    assert order(table, "hp notebook")[0] == "both"
    assert order(table, "notebook sleeve pink leather") == []


def test_words_in_the_order_of_the_title_come_before_the_same_in_another() -> None:
    table = table_of(item("games", "board games"), item("boards", "games board"), item("x", "Chair"))
    assert order(table, "board games") == ["games", "boards"]
    assert order(table, "games board") == ["boards", "games"]


def test_the_more_popular_of_equals_comes_first() -> None:
    table = table_of(item("b", "Lamp", popularity=0.1), item("a", "Lamp", popularity=0.9), item("c", "Lamp"))
    assert order(table, "lamp") == ["a", "c", "b"]


def test_queries_that_a_model_made_up_predict_their_words() -> None:
    table = TermTable()
    made = item_terms(item("a", "Aquarius 3000"), ["umbrella stand", "where do I put umbrellas"])
    table.add({ItemId("a"): made, ItemId("b"): item_terms(item("b", "Umbrella stand"))})
    assert order(table, "umbrella stand") == ["b", "a"]


def test_the_meaning_of_a_word_is_what_the_taken_items_share_and_others_do_not() -> None:
    table = table_of(
        *(item(f"nb{n}", f"notebook {n}x") for n in range(9)), *(item(f"c{n}", "Chair") for n in range(30))
    )
    taken = np.array([table.slots[ItemId(f"nb{n}")] for n in range(3)], dtype=np.int32)
    meaning = meaning_of(table, "laptop", taken)
    assert meaning == Meaning(table.number("notebook"), 1.0)
    assert set(beliefs(table, "laptop", {"laptop": meaning})) == {f"nb{n}" for n in range(9)}
    assert meaning_of(table, "notebook", taken) is None  # it means itself
    assert meaning_of(table, "laptop", taken[:2]) is None  # two items say nothing in general


def test_seen_items_are_believed_in_as_they_would_be_unseen() -> None:
    table = table_of(item("desk", "Desk lamp"), item("lamp", "Lamp"), item("oak", "Oak table"))
    slots = np.array([table.slots[ItemId(each)] for each in ("desk", "oak")], dtype=np.int32)
    seen, _ = believed(table, ["lamp"], slots, lambda word: None)
    assert seen.values.tolist() == pytest.approx([beliefs(table, "lamp")["desk"], 0.0])


@pytest.fixture
def few_champions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_table, "_LOST", 10)
    monkeypatch.setattr(term_table, "_KEPT", 20)
    monkeypatch.setattr(term_table, "_MOST", 40)


@pytest.mark.usefixtures("few_champions")
def test_champions_are_the_best_whatever_comes_and_goes() -> None:
    table = TermTable()
    items = [item(f"i{n}", "lamp", popularity=n / 200) for n in np.random.default_rng(1).permutation(200).tolist()]
    for start in range(0, 200, 7):
        table.add({each.id: item_terms(each) for each in items[start : start + 7]})
    assert order(table, "lamp")[:20] == [f"i{n}" for n in range(199, 179, -1)]
    assert len(order(table, "lamp")) <= 40
    for n in range(199, 120, -1):
        table.remove([ItemId(f"i{n}")])
        assert order(table, "lamp")[:10] == [f"i{m}" for m in range(n - 1, n - 11, -1)]


@given(changes)
def test_changes_leave_what_a_fresh_start_would_have(changed: list[tuple[str, str | None]]) -> None:
    table, items = TermTable(), dict[str, Item]()
    for item_id, title in changed:
        items.pop(item_id, None)
        table.remove([ItemId(item_id)])
        if title is not None:
            items[item_id] = item(item_id, title)
            table.add({ItemId(item_id): item_terms(items[item_id])})
    fresh = table_of(*items.values())
    for text in ("lamp", "red lamp", "oak desk case", "x100"):
        found = beliefs(table, text)
        assert list(found.items()) == list(beliefs(fresh, text).items())
        assert all(0 < belief <= 1 for belief in found.values())


def test_a_restored_table_is_the_saved_one_and_goes_on_changing(tmp_path: Path) -> None:
    table = table_of(item("a", "Red lamp"), item("b", "Blue lamp"), item("c", "Oak desk"))
    table.remove([ItemId("b")])
    table.save(tmp_path)
    restored = TermTable()
    restored.restore(tmp_path)
    for each in (table, restored):
        assert order(each, "lamp") == ["a"]
        each.remove([ItemId("a")])
        each.add({ItemId("d"): item_terms(item("d", "Green lamp"))})
    for text in ("lamp", "green", "oak", "blue"):
        assert beliefs(table, text) == beliefs(restored, text)


def test_neighbours_are_those_that_comparing_with_all_finds() -> None:
    random = np.random.default_rng(1)
    centres = random.normal(size=(300, 32)).astype(np.float32)
    vectors = np.repeat(centres, 4, axis=0) + random.normal(scale=0.2, size=(1_200, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = [f"{n:x}-{n * 7919 % 104729:x}" for n in range(1_200)]
    known = KnownQueries(keys[:700], vectors[:700])
    known.add(keys[700:], vectors[700:])
    found = expected = 0
    for vector in vectors[::10]:
        near = {keys[n] for n in np.flatnonzero(vectors @ vector > 0.9)}
        found += len({keys[n] for n, _ in known._meant(vector)} & near)
        expected += len(near)
    assert expected > 200
    assert found >= 0.95 * expected


def test_look_ups_go_on_while_queries_are_added() -> None:
    vectors = np.eye(8, dtype=np.float32)
    known = KnownQueries(["first"], vectors[:1])
    errors: list[Exception] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            try:
                known.near("first lamp", vectors[0])
            except Exception as error:  # noqa: BLE001
                errors.append(error)

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(300):
        known.add([f"first lamp {n}"], vectors[n % 8 : n % 8 + 1])
    done.set()
    reader.join()
    assert errors == []
    assert len(known.near("first lamp", vectors[0])) == 5

"""The memory's cold start: which items a query is predicted for, how surely, and at what cost."""

from __future__ import annotations

import threading
from itertools import pairwise
from math import log1p
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
    table.put({each.id: item_terms(each) for each in items})
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
    table.put({ItemId("a"): made, ItemId("b"): item_terms(item("b", "Umbrella stand"))})
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


def one_by_one(items: dict[ItemId, Item], text: str, meanings: dict[str, Meaning | None]) -> dict[str, float]:
    """What `believed` computes, item by item and word by word; `meanings` with numbers of `WORDS`, counted from 1."""
    terms = {item_id: item_terms(each) for item_id, each in items.items()}
    words = query_tokens(text)
    meant = {word: WORDS[meaning.number - 1] for word, meaning in meanings.items() if meaning}

    def holders(word: str) -> int:
        return sum(word in each.words for each in terms.values())

    def says(count: int) -> float:
        return log1p(len(items) / max(count, 1)) / log1p(len(items))

    information = {word: says(holders(word) + (holders(meant[word]) if word in meant else 0)) for word in words}
    covered, beliefs = dict[str, float](), dict[str, float]()
    for item_id, each in terms.items():
        has = {word: each.words.index(word) for word in words if word in each.words}
        lent = sum(
            information[word] * meaning.chance
            for word, meaning in meanings.items()
            if meaning and word in words and word not in has and meant[word] in each.words
        )
        covered[item_id] = sum(information[word] for word in has) + lent
        named = {word: at for word, at in has.items() if at < each.title}
        adjacent = sum(b in has and has[b] == named[a] + 1 for a, b in pairwise(words) if a in named)
        order = 0.7 + 0.3 * adjacent / (len(words) - 1) if len(words) > 1 else 1.0
        central = sum(information[word] * each.weights[at] for word, at in has.items()) + lent * 0.5
        length = ((len(named) + 0.5) / (each.title_words + 0.5)) ** 0.25
        beliefs[item_id] = central / sum(information.values()) * order * length * (0.75 + 0.5 * each.popularity)
    least = max(sum(information.values()) / 3, max(covered.values()) / 2)
    fitting = [item_id for item_id, much in covered.items() if much >= least - 1e-9]
    alone = holders(words[0]) + (holders(meant[words[0]]) if words[0] in meant else 0)
    shared = says(alone if len(words) == 1 else len(fitting))
    return {item_id: min(beliefs[item_id] * shared, 1.0) for item_id in fitting}


@given(st.lists(titles, min_size=2, max_size=12), titles, st.sampled_from([*WORDS, ""]), st.sampled_from(WORDS))
def test_beliefs_are_those_of_reckoning_item_by_item(made: list[str], text: str, asked: str, means: str) -> None:
    items = {ItemId(f"i{n}"): item(f"i{n}", title, popularity=n / 12) for n, title in enumerate(made)}
    table = TermTable()
    table.put({ItemId("words"): item_terms(item("words", " ".join(WORDS)))})  # numbers them
    table.remove([ItemId("words")])
    table.put({each.id: item_terms(each) for each in items.values()})
    meanings: dict[str, Meaning | None] = {} if asked in ("", means) else {asked: Meaning(WORDS.index(means) + 1, 0.75)}
    expected = {item_id: value for item_id, value in one_by_one(items, text, meanings).items() if value}
    found = beliefs(table, text, meanings)
    assert found.keys() == expected.keys()
    assert [found[item_id] for item_id in expected] == pytest.approx(
        list(expected.values()), rel=2e-3
    )  # weights: float16


def test_rows_grow_as_wide_as_the_longest_item() -> None:
    table = table_of(item("lamp", "Lamp"))
    before = beliefs(table, "lamp")
    assert table.width == 8
    table.put({ItemId("long"): item_terms(item("long", " ".join(f"w{n}" for n in range(20))))})
    assert table.width == 24
    assert order(table, "w19 w18") == ["long"]
    table.remove([ItemId("long")])
    assert beliefs(table, "lamp") == before


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
        table.put({each.id: item_terms(each) for each in items[start : start + 7]})
    assert order(table, "lamp")[:20] == [f"i{n}" for n in range(199, 179, -1)]
    assert len(order(table, "lamp")) <= 40
    for n in range(199, 120, -1):
        table.remove([ItemId(f"i{n}")])
        assert order(table, "lamp")[:10] == [f"i{m}" for m in range(n - 1, n - 11, -1)]


@pytest.mark.usefixtures("few_champions")
def test_who_changes_becomes_a_champion_or_is_none_any_more() -> None:
    table = TermTable()
    popularity = dict(enumerate(np.linspace(0.1, 0.9, 100).tolist()))
    table.put({ItemId(f"i{n}"): item_terms(item(f"i{n}", "lamp", popularity=p)) for n, p in popularity.items()})
    for n, changed in ((3, 1.0), (99, 0.0), (98, 0.95), (50, 0.92)):
        popularity[n] = changed
        table.put({ItemId(f"i{n}"): item_terms(item(f"i{n}", "lamp", popularity=changed))})
        best = sorted(popularity, key=popularity.__getitem__, reverse=True)[:10]
        assert order(table, "lamp")[:10] == [f"i{n}" for n in best]
        champions = table.champions(table.number("lamp")).tolist()
        assert len(set(champions)) == len(champions)
    table.put({ItemId("i3"): item_terms(item("i3", "desk", popularity=1.0))})
    assert order(table, "lamp")[0] == "i98"
    assert order(table, "desk") == ["i3"]


@given(changes)
def test_changes_leave_what_a_fresh_start_would_have(changed: list[tuple[str, str | None]]) -> None:
    table, items = TermTable(), dict[str, Item]()
    for item_id, title in changed:
        if title is not None:
            items[item_id] = item(item_id, title)
            table.put({ItemId(item_id): item_terms(items[item_id])})
        elif items.pop(item_id, None) is not None:
            table.remove([ItemId(item_id)])
    fresh = table_of(*items.values())
    for text in ("lamp", "red lamp", "oak desk case", "x100"):
        found = beliefs(table, text)
        assert list(found.items()) == list(beliefs(fresh, text).items())
        assert all(0 < belief <= 1 for belief in found.values())


def test_a_restored_table_is_the_saved_one_and_goes_on_changing(tmp_path: Path) -> None:
    table = table_of(item("a", "Red lamp"), item("b", "Blue lamp"), item("c", "Oak desk"))
    table.remove([ItemId("b")])
    table.saving()(tmp_path)
    restored = TermTable()
    restored.restore(tmp_path)
    for each in (table, restored):
        assert order(each, "lamp") == ["a"]
        each.remove([ItemId("a")])
        each.put({ItemId("d"): item_terms(item("d", "Green lamp"))})
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

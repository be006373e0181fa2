"""The memory's cold start: which items a query is predicted for, and how surely."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st
from words import item

from core.types import Item, ItemId
from retrievers.q2e.prior import Prior

WORDS = ("red", "blue", "desk", "lamp", "oak", "case", "x100")
titles = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
changes = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | titles), min_size=1, max_size=20)


def prior_of(*items: Item) -> Prior:
    prior = Prior()
    prior.apply(items, [])
    return prior


def order(prior: Prior, text: str, most: int = 20) -> list[str]:
    return list(prior.beliefs(text, most))


def test_the_title_that_is_all_of_the_query_comes_first() -> None:
    prior = prior_of(item("desk", "Desk lamp"), item("lamp", "Lamp"), item("oak", "Oak table"))
    assert order(prior, "lamps") == ["lamp", "desk"]
    assert order(prior, "sofa") == order(prior, "") == []


def test_a_query_that_many_items_share_says_less_about_each() -> None:
    prior = prior_of(*(item(f"lamp{n}", f"Lamp model{n}") for n in range(20)), item("desk", "Desk oak"))
    beliefs = prior.beliefs("lamp", 50)
    assert len(beliefs) == 20
    assert max(beliefs.values()) < prior.beliefs("desk", 50)[ItemId("desk")]


def test_a_query_backs_off_to_its_largest_predicted_part() -> None:
    notebooks = [item(f"hp{n}", f"HP{n} 250 HP notebook black") for n in range(3)]
    prior = prior_of(*notebooks, item("dell", "Dell monitor"), *(item(f"c{n}", f"Chair {n}") for n in range(9)))
    assert set(order(prior, "hp notebook wide screen")) == {"hp0", "hp1", "hp2"}
    assert prior.beliefs("hp notebook wide screen", 9)[ItemId("hp0")] < prior.beliefs("hp notebook", 9)[ItemId("hp0")]


def test_what_has_little_of_the_query_is_not_returned() -> None:
    chairs = (item(f"c{n}", f"Chair {n}") for n in range(9))
    prior = prior_of(item("both", "HP notebook"), item("ink", "HP ink"), item("one", "Dell notebook"), *chairs)
    assert order(prior, "hp notebook")[0] == "both"
    assert order(prior, "notebook sleeve pink leather") == []


def test_words_in_the_order_of_the_title_come_before_the_same_in_another() -> None:
    prior = prior_of(item("games", "board games"), item("boards", "games board"), item("x", "Chair"))
    assert order(prior, "board games") == ["games", "boards"]
    assert order(prior, "games board") == ["boards", "games"]


def test_a_word_that_only_qualifies_another_comes_later() -> None:
    cases = [item(f"case{n}", f"notebook case {n}x") for n in range(4)]
    notebooks = [item(f"nb{n}", f"notebook b{n} {n}y") for n in range(4)]
    prior = prior_of(*cases, *notebooks, *(item(f"c{n}", f"Chair {n}") for n in range(30)))
    assert {name[:2] for name in order(prior, "notebook")[:4]} == {"nb"}
    assert {name[:4] for name in order(prior, "notebook case")[:4]} == {"case"}


def test_the_more_popular_of_equals_comes_first() -> None:
    prior = prior_of(item("b", "Lamp", popularity=0.1), item("a", "Lamp", popularity=0.9), item("c", "Lamp"))
    assert order(prior, "lamp") == ["a", "c", "b"]


def test_words_imply_what_they_go_with_in_the_catalogue() -> None:
    known = [item(f"p{n}", f"LaserJet {n}x printer") for n in range(9)]
    prior = prior_of(*known, item("bare", "LaserJet 4700"), *(item(f"c{n}", f"Chair {n}") for n in range(30)))
    assert order(prior, "printer")[-1] == "bare"
    assert prior.predicted("printer") == {f"p{n}" for n in range(9)} | {"bare"}
    assert "bare" not in order(prior, "chair", 50)


def test_a_word_that_no_item_says_is_learned_from_what_people_took() -> None:
    notebooks = [item(f"nb{n}", f"notebook {n}x") for n in range(9)]
    prior = prior_of(*notebooks, *(item(f"c{n}", f"Chair {n}") for n in range(30)))
    assert order(prior, "laptop") == []
    prior.learn({"laptop": {ItemId("nb0"), ItemId("nb1"), ItemId("nb2")}})
    assert set(order(prior, "laptop")) == {f"nb{n}" for n in range(9)}
    prior.learn({"laptop": {ItemId("nb0"), ItemId("c1")}})  # two items say nothing in general
    assert order(prior, "laptop") == []


def test_wanted_items_are_told_however_little_they_are_believed() -> None:
    prior = prior_of(*(item(f"lamp{n}", "Lamp" + " detail" * n) for n in range(9)))
    found = prior.beliefs("lamp", 1, wanted=[ItemId("lamp8"), ItemId("nobody")])
    assert set(found) == {"lamp0", "lamp8"}
    assert prior.beliefs("lamp", 0) == {}


@given(changes)
def test_changes_leave_what_a_fresh_start_would_have(changed: list[tuple[str, str | None]]) -> None:
    prior, items = Prior(), dict[str, Item]()
    for item_id, title in changed:
        items.pop(item_id, None)
        if title is None:
            prior.apply([], [ItemId(item_id)])
        else:
            items[item_id] = item(item_id, title)
            prior.apply([items[item_id]], [])
    fresh = prior_of(*items.values())
    for text in ("lamp", "red lamp", "oak desk case", "x100"):
        found = prior.beliefs(text, 3)
        assert list(found) == list(fresh.beliefs(text, 3))
        assert list(found.values()) == list(fresh.beliefs(text, 3).values())
        assert all(0 < belief <= 1 for belief in found.values())


def test_look_ups_see_the_catalogue_before_a_change_or_after_it() -> None:
    before, after = [item(str(n), "red lamp") for n in range(50)], [item(str(n), "blue desk") for n in range(50)]
    prior = prior_of(*before)
    done = threading.Event()
    sizes: set[int] = set()

    def look() -> None:
        while not done.is_set():
            sizes.add(len(prior.beliefs("lamp", 100)))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(100):
        prior.apply(before if n % 2 else after, [])
    done.set()
    for reader in readers:
        reader.join()
    assert sizes <= {0, 50}
    assert len(prior.beliefs("lamp", 100)) == 50

"""Who a customer is, and how much one may teach a day."""

from __future__ import annotations

from dataclasses import replace

from builders import episode

from core.customer import customer_of
from core.episodes import Episode
from core.types import Query, QueryId
from feedback.client_limit import ClientLimit

DAY = 86_400.0


def searched(n: int, *, client: str | None = "c", text: str = "lamp", item: str = "a", time: float = 0.0) -> Episode:
    """A search with one item, which is taken."""
    return episode(query_id=f"q{n}", client_id=client, text=text, shown=(item,), gains=(1.0,), time=time)


def test_the_user_then_the_client_then_the_session() -> None:
    query = Query(QueryId("q"), "lamp", 0.0, user_id="u", client_id="c", session_id="s")
    orders = [query, replace(query, user_id=None), replace(query, user_id=None, client_id=None)]
    assert [customer_of(each) for each in orders] == ["u", "c", "s"]
    assert customer_of(Query(QueryId("q"), "lamp", 0.0)) is None


def test_a_text_and_an_item_count_so_often_a_day_and_again_the_next() -> None:
    same_text = [searched(n, item=f"item-{n}") for n in range(9)]
    same_item = [searched(n, text=f"text {n}") for n in range(9)]
    assert ClientLimit(3).admitted(same_text) == same_text[:3]
    assert ClientLimit(3).admitted(same_item) == same_item[:3]
    limit = ClientLimit(3)
    assert len(limit.admitted([searched(n, time=n * DAY / 5) for n in range(10)])) == 6


def test_others_and_other_things_are_not_touched_and_nobody_known_is_not_capped() -> None:
    limit = ClientLimit(2)
    flood = [searched(n) for n in range(100)]
    assert len(limit.admitted(flood)) == 2
    others = [searched(200, client="d"), searched(201, text="chair", item="b")]
    assert limit.admitted(others) == others
    unknown = [searched(n, client=None) for n in range(300, 350)]
    assert limit.admitted(unknown) == unknown


def test_ten_thousand_teach_what_the_first_few_teach() -> None:
    flood = [searched(n) for n in range(10_000)]
    assert ClientLimit(5).admitted(flood) == ClientLimit(5).admitted(flood[:5]) == flood[:5]

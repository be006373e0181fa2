"""The memory: predicted at first, replaced smoothly by what people clicked."""

import pytest
from builders import episode
from words import item, query

from core.types import Episode
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.memory import MemoryRetriever
from retrievers.q2e.memory_model import MemoryLearner, MemoryModel
from retrievers.q2e.predicted import predicted_queries

DAY = 86_400.0
ITEMS = [item("a", "Desk lamp"), item("b", "Lamp"), item("c", "Oak table"), item("d", "Pine table")]


@pytest.fixture
def memory(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> MemoryRetriever:
    arm = MemoryRetriever(embeddings, query_vector)
    arm.apply(ITEMS, [])
    return arm


def learned(episodes: list[Episode], *, client_cap: int = 100) -> bytes:
    learner = MemoryLearner(half_life_s=30 * DAY, client_cap=client_cap)
    learner.learn(episodes)
    model = learner.snapshot()
    assert model is not None
    return model


def clicks(text: str, clicked: str, times: int, *, client: str | None = None) -> list[Episode]:
    shown = ("a", "b", "c", "d")
    gains = tuple(float(each == clicked) for each in shown)
    return [episode(text=text, shown=shown, gains=gains, query_id=f"{text}{n}", client_id=client) for n in range(times)]


def order(memory: MemoryRetriever, text: str) -> list[str]:
    return [hit.item_id for hit in memory.retrieve(query(text), 10)]


def test_predictions_name_the_title_its_parts_and_the_labels() -> None:
    found = predicted_queries(item("x", "Love Story", kind="track", genre="country"))
    assert found["love story"] == max(found.values())
    assert {"love", "story", "country", "country track"} <= set(found)
    assert all(0 < belief <= 1 for belief in found.values())


def test_before_any_click_the_predicted_items_answer(memory: MemoryRetriever) -> None:
    assert order(memory, "lamps") == ["b", "a"]  # "Lamp" is all of one title and a part of the other
    assert order(memory, "sofa") == []


def test_a_hit_is_a_prediction_until_it_was_shown(memory: MemoryRetriever) -> None:
    assert all(hit.predicted for hit in memory.retrieve(query("lamp"), 10))
    memory.load(learned(clicks("lamp", "c", 3)))
    assert not any(hit.predicted for hit in memory.retrieve(query("lamp"), 10))
    assert all(hit.predicted for hit in memory.retrieve(query("oak"), 10))


def test_clicks_take_over_smoothly(memory: MemoryRetriever) -> None:
    posteriors = []
    for times in (1, 3, 10, 100):
        memory.load(learned(clicks("lamp", "c", times)))
        posteriors.append({entry.item_id: entry.posterior for entry in memory.entries("lamp")}["c"])
    assert posteriors == sorted(posteriors)
    assert order(memory, "lamp")[0] == "c"
    memory.load(None)
    assert order(memory, "lamp") == ["b", "a"]


def test_shown_and_never_clicked_sinks(memory: MemoryRetriever) -> None:
    memory.load(learned(clicks("lamp", "a", 20)))
    assert order(memory, "lamp") == ["a", "b"]


def test_neighbours_by_spelling_and_by_meaning_lend_evidence(memory: MemoryRetriever) -> None:
    memory.load(learned(clicks("playstation games", "c", 30)))
    assert order(memory, "plaistation games")[:1] == ["c"]
    assert order(memory, "games for the playstation")[:1] == ["c"]
    assert "c" not in order(memory, "guitar strings")
    own = {entry.item_id: entry.posterior for entry in memory.entries("playstation games")}["c"]
    lent = {entry.item_id: entry.posterior for entry in memory.entries("games for the playstation")}["c"]
    assert lent < own


def test_one_client_counts_a_few_times_only(memory: MemoryRetriever) -> None:
    honest = [e for n in range(10) for e in clicks("lamp", "a", 1, client=f"c{n}")]
    memory.load(learned(honest + clicks("lamp", "d", 1_000, client="fraud"), client_cap=3))
    assert order(memory, "lamp")[0] == "a"


def test_old_clicks_fade() -> None:
    def rate_after(days: float) -> float:
        learner = MemoryLearner(half_life_s=30 * DAY, client_cap=100)
        learner.learn([episode(text="lamp", shown=("a",), gains=(1.0,), time=0.0)])
        learner.learn([episode(text="other", shown=("a",), gains=(0.0,), time=days * DAY, query_id="later")])
        data = learner.snapshot()
        assert data is not None
        model = MemoryModel.load(data)
        return next(iter(model.entries(model.rows["lamp"])))[1]

    assert rate_after(0) == pytest.approx(1.0)
    assert rate_after(30) == pytest.approx(0.5)
    assert rate_after(60) == pytest.approx(0.25)


def test_a_model_comes_back_as_it_was() -> None:
    data = learned(clicks("lamp", "a", 3) + clicks("täble", "c", 2))
    assert MemoryModel.load(data).dump() == data


def test_filtered_searches_and_deleted_items_leave_no_memories(memory: MemoryRetriever) -> None:
    memory.load(learned(clicks("lamp", "c", 30)))
    memory.apply([], ["c"])
    assert "c" not in order(memory, "lamp")

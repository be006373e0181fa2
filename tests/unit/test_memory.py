"""The memory: predicted at first, replaced smoothly by what people clicked."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from arms_with_items import Memory
from builders import episode
from words import item, query

from core.episodes import Episode
from core.errors import InvalidConfig
from core.types import Floats
from retrievers.encoded_store import EncodedStore
from retrievers.memory import MemoryRetriever
from retrievers.q2e.generated import GeneratedQueries
from retrievers.q2e.memory_model import MemoryLearner, MemoryModel
from retrievers.q2e.predicted import item_terms
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings

DAY = 86_400.0
ITEMS = [item("a", "Desk lamp"), item("b", "Lamp"), item("c", "Oak table"), item("d", "Pine table")]


@pytest.fixture
def memory(embeddings: StoredEmbeddings, query_vector: QueryVectors) -> MemoryRetriever:
    arm = Memory(embeddings, query_vector)
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


def test_predictions_name_the_title_and_the_labels() -> None:
    found = item_terms(item("x", "Love of a Story, Story", kind="track", genre="country"))
    assert found.words[: found.title] == ("love", "", "story", "")
    assert set(found.words[found.title :]) == {"track", "country"}
    assert dict(zip(found.words, found.weights, strict=True))["love"] > found.weights[-1] > 0
    assert found.title_words == 2


def test_a_query_is_predicted_word_by_word(memory: MemoryRetriever) -> None:
    assert order(memory, "oak desk lamp")[0] == "a"
    assert memory.signals(query("oak lamp"))["predicted"] == 1.0
    assert memory.signals(query("oak sofa"))["predicted"] == 0.5


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
        posteriors.append({entry.item_id: entry.posterior for entry in memory.recall("lamp", 10).entries}["c"])
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
    own = {entry.item_id: entry.posterior for entry in memory.recall("playstation games", 10).entries}["c"]
    lent = {entry.item_id: entry.posterior for entry in memory.recall("games for the playstation", 10).entries}["c"]
    assert lent < own


def test_what_was_taken_for_a_word_predicts_the_word_for_items_like_it(memory: MemoryRetriever) -> None:
    couches = [
        item(f"couch{n}", f"Couch {name}") for n, name in enumerate(["Oslo", "Bergen", "Lund", "Malmo", "Ystad"])
    ]
    memory.apply([*couches, *(item(f"chair{n}", "Chair") for n in range(9))], [])
    assert order(memory, "sofa") == []
    shown, gains = ("couch0", "couch1", "couch2", "a"), (1.0, 1.0, 1.0, 0.0)
    memory.load(learned([episode(text="sofa", shown=shown, gains=gains)]))
    assert set(order(memory, "sofa")[:3]) == {"couch0", "couch1", "couch2"}
    assert set(order(memory, "sofa")[3:]) == {"couch3", "couch4"}
    memory.load(None)
    assert order(memory, "sofa") == []


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
        return float(model.gains[model.span(model.rows["lamp"])][0])

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


def test_unseen_items_fill_up_to_ten_what_was_taken_leaves(memory: MemoryRetriever) -> None:
    memory.apply([item(f"lamp{n}", f"Lamp number {n}") for n in range(30)], [])
    assert len(memory.retrieve(query("lamp"), 50)) == 10
    memory.load(learned(clicks("lamp", "c", 3)))
    hits = memory.retrieve(query("lamp"), 50)
    assert sum(hit.predicted for hit in hits) == 9  # `c` was taken
    assert {hit.item_id for hit in hits if not hit.predicted} == {"a", "b", "c"}  # `d` has nothing of a lamp
    assert [hit.item_id for hit in hits if hit.predicted and hit.item_id in {"a", "b"}] == []


def test_a_newer_model_replaces_the_older_one(memory: MemoryRetriever) -> None:
    memory.load(learned([e for n in range(40) for e in clicks(f"lamp number {n}", "c", 3)]))
    assert order(memory, "lamp number 7")[0] == "c"
    memory.load(learned(clicks("pine shelf", "d", 3) + clicks("lamp number 7", "b", 3)))
    assert order(memory, "pine shelf")[0] == "d"
    assert order(memory, "lamp number 7")[0] == "b"
    assert memory.recall("lamp number 8", 10).neighbours.keys() == {"lamp number 7"}


def test_what_was_saved_comes_back(
    memory: MemoryRetriever, embeddings: StoredEmbeddings, query_vector: QueryVectors, tmp_path: Path
) -> None:
    memory.save(tmp_path)
    restored = MemoryRetriever(embeddings, query_vector, {each.id: each for each in ITEMS})
    restored.restore(tmp_path)
    for text in ("lamp", "oak table", "sofa"):
        assert restored.retrieve(query(text), 10) == memory.retrieve(query(text), 10)
    assert [hit.item_id for hit in restored.retrieve(query("lamp", type="product"), 10)] == ["b", "a"]


def test_items_that_move_while_a_look_up_encodes_its_query_are_found_where_they_are(
    embeddings: StoredEmbeddings, query_vector: QueryVectors
) -> None:
    def changing(text: str) -> Floats:
        arm.load(learned(clicks("lamp", "c", 3)))
        arm.items.apply([item("e", "Glass bowl")], ["c"])
        arm.apply([item("e", "Glass bowl")], ["c"])  # takes the place of `c`
        return query_vector(text)

    arm = Memory(embeddings, query_vector)
    arm.apply(ITEMS, [])
    arm.load(learned(clicks("lamp", "c", 30)))
    arm._query_vector = changing
    assert set(order(arm, "lamp")) == {"a", "b"}


def test_models_that_named_every_entrys_item_are_still_read() -> None:
    made = MemoryModel.load(learned(clicks("lamp", "a", 3) + clicks("table", "c", 2)))
    every = [made.items[place] for place in made.places.tolist()]
    names = json.dumps({"keys": made.keys, "texts": made.texts, "items": every}).encode()
    old = io.BytesIO()
    np.savez(old, names=np.frombuffer(names, np.uint8), starts=made.starts, gains=made.gains, examined=made.examined)
    assert MemoryModel.load(old.getvalue()).dump() == made.dump()


@pytest.fixture
def doc2query(tmp_path: Path) -> Path:
    """A T5 of random weights over a vocabulary of a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration, set_seed

    set_seed(1)
    vocabulary = ["<pad>", "</s>", "<unk>", "umbrella", "stand", "holder", "hall", "wet"]
    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(vocabulary)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    tokenizer.save_pretrained(tmp_path / "t5")
    config = T5Config(
        vocab_size=len(vocabulary), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    T5ForConditionalGeneration(config).save_pretrained(tmp_path / "t5")
    return tmp_path / "t5"


@pytest.mark.filterwarnings("ignore")
def test_the_words_of_generated_queries_are_predicted(
    doc2query: Path, embeddings: StoredEmbeddings, query_vector: QueryVectors, tmp_path: Path
) -> None:
    store = EncodedStore(tmp_path / "queries.sqlite")
    generate = GeneratedQueries(doc2query, store)
    items = [item("a", "Aquarius 3000"), item("b", "Aquarius 4000")]
    made = generate(items)
    assert [len(queries) for queries in made] == [5, 5]
    word = next(word for word in " ".join(made[0]).split() if word)
    arm = MemoryRetriever(embeddings, query_vector, {each.id: each for each in items}, generate=generate)
    arm.apply(items, [])
    assert "a" in order(arm, word)
    for file in doc2query.glob("tokenizer*"):  # what is known needs no model
        file.unlink()
    store.close()
    store = EncodedStore(tmp_path / "queries.sqlite")
    assert GeneratedQueries(doc2query, store)(items) == made
    store.close()


def test_a_folder_without_a_generator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="sequence-to-sequence"):
        GeneratedQueries(tmp_path, EncodedStore(tmp_path / "queries.sqlite"))

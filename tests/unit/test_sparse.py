"""The sparse arm: words that go with the query's, by the catalogue, by clicks, or by a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import episode
from words import item, query

from core.episodes import Episode
from core.errors import InvalidConfig
from core.types import Item
from retrievers.encoded_store import EncodedStore
from retrievers.impact.associations import Associations
from retrievers.impact.expansion import CatalogueTerms
from retrievers.impact.expansion_model import PRIOR_GAIN, ExpansionLearner, load_expansions
from retrievers.impact.splade import SpladeTerms
from retrievers.sparse import SparseRetriever

DAY = 86_400.0
# Sofas and couches are never the same item, and only they are for a living room with cushions.
ITEMS = [
    *(item(f"sofa-{n}", f"Grey sofa velvet cushion number {n}") for n in range(6)),
    *(item(f"couch-{n}", f"Brown couch velvet cushion number {n}") for n in range(6)),
    *(item(f"desk-{n}", f"Oak desk drawer number {n}") for n in range(80)),
    *(item(f"shelf-{n}", f"Pine shelf bracket number {n}") for n in range(80)),
]


def built(items: Sequence[Item] = ITEMS) -> SparseRetriever:
    arm = SparseRetriever(CatalogueTerms())
    arm.apply(items, [])
    return arm


def ids(arm: SparseRetriever, text: str, depth: int = 100) -> list[str]:
    return [hit.item_id for hit in arm.retrieve(query(text), depth)]


def learned(episodes: Sequence[Episode], *, client_cap: int = 100) -> bytes | None:
    catalogue = {each.id: each for each in ITEMS}
    learner = ExpansionLearner(catalogue.get, half_life_s=30 * DAY, client_cap=client_cap)
    learner.learn(episodes)
    return learner.snapshot()


def clicks(
    text: str, clicked: str, times: int, *, shown: Sequence[str] = (), client: str | None = None, time: float = 0.0
) -> list[Episode]:
    shown = shown or (clicked, "desk-1", "shelf-1")
    gains = tuple(float(each == clicked) for each in shown)
    return [
        episode(text=text, shown=shown, gains=gains, query_id=f"{text}-{n}", client_id=client, time=time)
        for n in range(times)
    ]


def test_npmi_by_hand() -> None:
    # Of a thousand documents, four hold `desk`, five `drawer`, and three both; `wide` goes with neither often enough.
    words = ["desk", "drawer", "wide"]
    held = {0: [0, 1, 2, 3], 1: [1, 2, 3, 4, 5], 2: [0, 1, 7, 8, 9]}
    terms = np.array([term for term, found in held.items() for _ in found], dtype=np.int32)
    documents = np.array([document for found in held.values() for document in found], dtype=np.int64)
    found = Associations.of(words, terms, documents, 1_000)
    strength = np.log((3 / 1000) / (4 / 1000 * 5 / 1000)) / -np.log(3 / 1000)
    assert dict(found("desk")) == {"drawer": pytest.approx(strength)}
    assert dict(found("drawer")) == {"desk": pytest.approx(strength)}
    assert list(found("unheard")) == []


def test_words_of_the_same_items_bring_in_items_without_the_query_words() -> None:
    arm = built()
    hits = arm.retrieve(query("grey sofa"), 100)
    assert [hit.item_id for hit in hits[:6]] == [f"sofa-{n}" for n in range(6)]  # the word itself comes first
    couches = [hit for hit in hits if hit.item_id.startswith("couch")]
    assert len(couches) == 6
    assert not any(hit.item_id.startswith("desk") for hit in hits)
    assert all("velvet" in hit.why and "cushion" in hit.why for hit in couches)


def test_why_names_added_words_with_their_weights_only_where_they_matched() -> None:
    lamps = [item(f"lamp-{n}", "Brass lamp shade") for n in range(3)]
    arm = built([*ITEMS, *lamps, item("plain", "Lamp")])
    whys = {hit.item_id: hit.why for hit in arm.retrieve(query("brass lamp"), 10)}
    assert whys.pop("plain") == ""
    # One vote of strength 1 from each of two words, all of about the same idf: 2 x 0.2 / 3.
    assert whys == {f"lamp-{n}": "also: shade 0.1" for n in range(3)}


def test_the_company_of_a_single_word_says_nothing() -> None:
    assert ids(built(), "sofa") == [f"sofa-{n}" for n in range(6)]


def test_without_its_weight_the_catalogue_adds_nothing() -> None:
    arm = SparseRetriever(CatalogueTerms(catalogue_weight=0.0))
    arm.apply(ITEMS, [])
    assert sorted(ids(arm, "grey sofa")) == [f"sofa-{n}" for n in range(6)]


def test_associations_follow_the_catalogue_when_much_of_it_has_changed() -> None:
    arm = built()
    assert "couch-1" in ids(arm, "grey sofa")
    arm.apply([item(f"sofa-{n}", "Sofa") for n in range(6)], [])
    assert "couch-1" in ids(arm, "grey sofa")  # six items of 172 are not many
    others = [each for each in ITEMS if not each.id.startswith(("sofa", "couch"))]
    arm.apply([replace(each, numbers={"price": 5.0}) for each in others], [])
    assert "couch-1" in ids(arm, "grey sofa")  # new prices are no new words
    arm.apply([replace(each, fields={"title": f"{each.fields['title']} sale"}) for each in others], [])
    assert "couch-1" not in ids(arm, "grey sofa")


def test_associations_of_many_items_are_prepared_beside_the_changes() -> None:
    terms, reference = CatalogueTerms(beside_from=0), CatalogueTerms()
    for weights in (terms, reference):
        arm = SparseRetriever(weights)
        arm.apply(ITEMS, [])
        assert "velvet" in weights.query("grey sofa").added
        arm.apply([item(each.id, f"{each.fields['title']} sale".replace("velvet", "linen")) for each in ITEMS], [])
    terms.wait()
    assert "linen" in terms.query("grey sofa").added
    assert terms.query("grey sofa") == reference.query("grey sofa")


def test_clicks_teach_words_that_the_catalogue_does_not_know() -> None:
    arm = built()
    assert ids(arm, "settee") == []
    arm.load(learned([*clicks("settee", "sofa-1", 20), *clicks("office", "desk-2", 20)]))
    assert ids(arm, "settee", 6) == [f"sofa-{n}" for n in range(6)]
    assert arm.signals(query("settee"))["clicked"] == 1.0
    arm.load(None)
    assert ids(arm, "settee") == []


def test_strength_is_the_share_of_gain_above_that_of_all_words() -> None:
    model = learned([*clicks("settee", "sofa-1", 15), *clicks("office", "desk-2", 5)])
    assert model is not None
    # `sofa` has all 15 of settee's gain and 15 of the 20 in all; 5 are taken for gained elsewhere.
    strengths = dict(load_expansions(model).get("settee", ()))
    assert "sofa" not in strengths  # 15 / (15 + 5) is no more than 15 / 20
    more = learned([*clicks("settee", "sofa-1", 15), *clicks("office", "desk-2", 45)])
    assert more is not None
    assert dict(load_expansions(more)["settee"])["sofa"] == pytest.approx(15 / (15 + PRIOR_GAIN) - 15 / 60, abs=1e-4)


def test_one_client_teaches_no_more_than_its_cap_and_old_clicks_fade() -> None:
    others = clicks("office", "desk-2", 40)

    def strength(episodes: list[Episode], cap: int = 100) -> float:
        model = learned([*others, *episodes], client_cap=cap)
        return dict(load_expansions(model or b"{}").get("settee", ())).get("sofa", 0.0)

    free = strength(clicks("settee", "sofa-1", 20))
    assert strength(clicks("settee", "sofa-1", 20, client="one"), cap=3) == pytest.approx(
        strength(clicks("settee", "sofa-1", 3))
    )
    assert strength(clicks("settee", "sofa-1", 3)) < free
    late = clicks("office", "desk-2", 1, time=300 * DAY)
    assert strength([*clicks("settee", "sofa-1", 20), *late]) < 0.1 * free


def test_the_learner_skips_what_teaches_nothing() -> None:
    assert learned([]) is None
    assert learned(clicks("settee", "gone", 5, shown=("gone", "desk-1"))) is None
    assert learned([episode(text="settee", shown=("sofa-1",), gains=(0.0,))]) is None
    assert learned(clicks("", "sofa-1", 5)) is None


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="SPLADE"):
        SpladeTerms(tmp_path, EncodedStore(tmp_path / "terms.sqlite"))


@pytest.fixture
def splade(tmp_path: Path) -> Path:
    """A SPLADE model of random weights over a vocabulary of a few words."""
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import SpladePooling
    from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast, set_seed

    set_seed(1)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", "lamp", "chair", "la", "##va", "product"]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "bert")
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertForMaskedLM(config).save_pretrained(tmp_path / "bert")
    model = SparseEncoder(str(tmp_path / "bert"), device="cpu")
    assert isinstance(model[1], SpladePooling)
    model.save(str(tmp_path / "splade"))
    return tmp_path / "splade"


@pytest.mark.filterwarnings("ignore")
def test_a_splade_model_scores_by_the_dot_product_of_its_embeddings(splade: Path) -> None:
    from sentence_transformers import SparseEncoder

    items = [item("a", "Red lamp"), item("b", "Blue chair"), item("c", "Lava lamp")]
    terms = SpladeTerms(splade, EncodedStore(splade.parent / "terms.sqlite"))
    arm = SparseRetriever(terms)
    arm.apply(items, [])
    hits = arm.retrieve(query("red lamp"), 10)
    model = SparseEncoder(str(splade), device="cpu", similarity_fn_name="dot")
    encoded = model.encode_document(["Red lamp. product", "Blue chair. product", "Lava lamp. product"])
    reference = model.similarity(model.encode_query(["red lamp"]), encoded)[0].tolist()
    assert {hit.item_id: hit.score for hit in hits} == pytest.approx(
        {key: score for key, score in zip("abc", reference, strict=True) if score > 0}, rel=1e-5
    )
    asked = terms.query("red lamp")
    assert asked.own.keys() <= {"red", "lamp"}
    assert asked.added
    assert not asked.added.keys() & {"red", "lamp"}
    assert any(hit.why.startswith("also: ") for hit in hits)
    assert ids(arm, "") == []
    assert arm.signals(query("red lava")) == {"words": 0.1, "whole_words": pytest.approx(2 / 3)}


class Counting(SpladeTerms):
    """Notes which texts its model is given."""

    def __init__(self, folder: Path, store: EncodedStore) -> None:
        super().__init__(folder, store)
        self.given: list[str] = []

    def _encoded(self, texts: list[str]) -> list[Mapping[str, float]]:
        self.given += texts
        return super()._encoded(texts)


@pytest.mark.filterwarnings("ignore")
def test_an_item_is_encoded_once_even_after_a_restart_and_again_by_other_weights(splade: Path) -> None:
    items = [item("a", "Red lamp"), item("b", "Blue chair"), item("c", "Lava lamp")]
    store = EncodedStore(splade.parent / "terms.sqlite")
    first = Counting(splade, store)
    terms = first.documents(items[:2])
    assert first.given == ["Red lamp. product", "Blue chair. product"]
    store.close()

    store = EncodedStore(splade.parent / "terms.sqlite")
    again = Counting(splade, store)
    mixed = again.documents([items[1], items[2], items[0]])
    assert again.given == ["Lava lamp. product"]
    assert [mixed[2], mixed[0]] == terms
    assert mixed[1] == Counting(splade, EncodedStore(splade.parent / "other.sqlite")).documents(items[2:])[0]

    (splade / "note.txt").write_text("other weights")
    changed = Counting(splade, store)
    changed.documents(items[:1])
    assert changed.given == ["Red lamp. product"]

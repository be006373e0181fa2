"""What is remembered of an arm is right as long as its edition says so. An arm joins by one line in ARMS."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path

import pytest
from arms_with_items import Structured
from words import item, query

from app.indexing.indexer import ItemTable
from core.protocols import Repeatable
from retrievers.impact.expansion import CatalogueTerms
from retrievers.lexical import LexicalRetriever
from retrievers.sparse import SparseRetriever
from retrievers.vector import VectorRetriever
from retrievers.vectors.embeddings import QueryVectors, StoredEmbeddings

ITEMS = [item("red", "Red lamp", brand="Acme"), item("blue", "Blue lamp", brand="Bolt"), item("chair", "Oak chair")]
Build = Callable[[StoredEmbeddings, QueryVectors], Repeatable]
ARMS: Mapping[str, Build] = {
    "lexical": lambda embeddings, vector: LexicalRetriever(),
    "structured": lambda embeddings, vector: Structured(),
    "sparse": lambda embeddings, vector: SparseRetriever(CatalogueTerms()),
    "vector": lambda embeddings, vector: VectorRetriever(embeddings, vector, ItemTable()),
}


@pytest.fixture(params=ARMS)
def build(
    request: pytest.FixtureRequest, embeddings: StoredEmbeddings, query_vector: QueryVectors
) -> Callable[[], Repeatable]:
    return lambda: ARMS[request.param](embeddings, query_vector)


@pytest.fixture
def arm(build: Callable[[], Repeatable]) -> Repeatable:
    made = build()
    made.apply(ITEMS, [])
    return made


def test_asking_changes_nothing(arm: Repeatable) -> None:
    before = arm.edition
    hash(before)
    arm.retrieve(query("red lamp"), 5)
    arm.signals(query("oak chair"))
    assert arm.edition == before


def test_every_change_of_the_catalogue_is_another_edition(arm: Repeatable) -> None:
    editions: list[Hashable] = [arm.edition]
    for upserts, deletes in (([item("new", "Red lamp")], []), ([item("red", "Oak table")], []), ([], ["blue"])):
        arm.apply(upserts, deletes)
        editions.append(arm.edition)
    assert len(set(editions)) == 4


def test_a_model_is_another_edition(arm: Repeatable) -> None:
    if not hasattr(arm, "load"):
        assert arm.name == "lexical"  # which learns nothing
        return
    before = arm.edition
    arm.load(None)
    assert arm.edition != before


def test_what_was_restored_is_another_edition(arm: Repeatable, build: Callable[[], Repeatable], tmp_path: Path) -> None:
    arm.save(tmp_path)
    fresh = build()
    before = fresh.edition
    fresh.restore(tmp_path)
    assert fresh.edition != before


def test_associations_that_are_prepared_beside_are_another_edition() -> None:
    arm = SparseRetriever(CatalogueTerms(beside_from=2))
    arm.apply(ITEMS, [])
    terms = arm._weights
    assert isinstance(terms, CatalogueTerms)
    for _ in range(3):
        arm.apply([item(each.id, f"{each.fields['title']} again") for each in ITEMS], [])
    terms.wait()
    before = terms.edition
    terms._prepare(*arm._index.postings(), 3, 0.0)
    assert terms.edition == before + 1

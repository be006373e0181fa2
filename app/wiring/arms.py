"""The arms, what they share, and whom the indexer and the models have to be told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.indexing.indexer import ItemTable
from app.settings import Settings
from app.wiring.plans import RANKED_ARMS
from app.wiring.stores import open_embeddings
from core.catalogue import Indexed
from core.protocols import Retriever
from ranking.behaviour_model import BehaviourLearner
from ranking.features.extractor import FeatureExtractor
from ranking.features.feature import Schema
from ranking.profiles import ProfilesLearner
from ranking.quality.model import COMPONENT as QUALITY
from retrievers.encoded_store import EncodedStore
from retrievers.engagements.customers import CustomersLearner
from retrievers.engagements.related_model import RelatedLearner
from retrievers.explore import ExploreRetriever
from retrievers.impact.expansion import CatalogueTerms
from retrievers.impact.expansion_model import ExpansionLearner
from retrievers.impact.splade import SpladeTerms
from retrievers.impact.term_weights import TermWeights
from retrievers.lexical import LexicalRetriever, Weights
from retrievers.memory import MemoryRetriever
from retrievers.okapi import OkapiRetriever
from retrievers.personal import PersonalRetriever
from retrievers.popular import PopularRetriever
from retrievers.popularity.popularity_model import PopularityLearner
from retrievers.q2e.generated import GeneratedQueries
from retrievers.q2e.memory_model import MemoryLearner
from retrievers.related import RelatedRetriever
from retrievers.sparse import SparseRetriever
from retrievers.structure.readings_model import ReadingsLearner
from retrievers.structured import StructuredRetriever
from retrievers.vector import VectorRetriever
from retrievers.vectors.adapter_model import QueryAdapterLearner
from retrievers.vectors.embeddings import QueryVectors
from retrievers.words.analyser import analyser

Load = Callable[[bytes | None], None]
Close = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Arms:
    """`followers` in the order in which they are told of changes, `loads` by the component that they load."""

    items: ItemTable
    by_name: Mapping[str, Retriever]
    lexical: LexicalRetriever | OkapiRetriever
    memory: MemoryRetriever
    structured: StructuredRetriever
    extractor: FeatureExtractor
    encoder: str
    followers: Mapping[str, Indexed]
    loads: Mapping[str, Sequence[Load]]
    closers: Sequence[Close]


def build_arms(settings: Settings, indexes: Path) -> Arms:
    """All arms, empty. What lives on disk while it is used does so below `indexes`."""
    embeddings = open_embeddings(settings)
    closers: list[Close] = [embeddings.close]
    query_vector = QueryVectors(embeddings.encoder)  # quicker than a look on disk
    embeddings.look_first(query_vector)
    items = ItemTable()
    lexical = _lexical(settings, items, indexes)
    vector = VectorRetriever(embeddings, query_vector, items)
    memory = MemoryRetriever(embeddings, query_vector, items, generate=_query_generator(settings, closers))
    structured = StructuredRetriever(items)
    sparse = SparseRetriever(_term_weights(settings, closers))
    related = RelatedRetriever(lexical, items)
    personal = PersonalRetriever(vector.index, query_vector)
    explore = ExploreRetriever(vector.index, query_vector, items)
    popular = PopularRetriever(items)
    extractor = FeatureExtractor(
        RANKED_ARMS,
        brand=settings.ranking.brand_attribute,
        vectors=vector.index.now,
        related=related.relatedness,
    )
    built: tuple[Retriever, ...] = (
        lexical, structured, popular, memory, related, sparse, vector, personal, explore,
    )  # fmt: skip
    return Arms(
        items=items,
        by_name={arm.name: arm for arm in built},
        lexical=lexical,
        memory=memory,
        structured=structured,
        extractor=extractor,
        encoder=embeddings.version,
        # The structured arm is told while the table still knows what an item said before; then the table, which the
        # others look into; then what finds by words, so that items can be shown early; and what encodes last, because
        # it is slow.
        followers={
            "structured": structured, "items": items, "features": extractor, "lexical": lexical, "popular": popular,
            "memory": memory, "sparse": sparse, "vector": vector,
        },
        loads={
            MemoryLearner.component: (memory.load,),
            PopularityLearner.component: (popular.load, extractor.loads[PopularityLearner.component], explore.load),
            ReadingsLearner.component: (structured.load,),
            ExpansionLearner.component: (sparse.load,),
            RelatedLearner.component: (related.load,),
            CustomersLearner.component: (personal.load,),
            QUALITY: (extractor.quality.load,),
            BehaviourLearner.component: (extractor.loads[BehaviourLearner.component],),
            ProfilesLearner.component: (extractor.loads[ProfilesLearner.component],),
            **({QueryAdapterLearner.component: (vector.load,)} if settings.vector.adapter else {}),
        },
        closers=closers,
    )  # fmt: skip


def feature_schema() -> Schema:
    """Of the features that are computed, whatever the catalogue."""
    return FeatureExtractor(RANKED_ARMS).schema


def _lexical(settings: Settings, items: ItemTable, indexes: Path) -> LexicalRetriever | OkapiRetriever:
    wanted = settings.lexical
    if wanted.engine == "okapi":
        return OkapiRetriever(items, analyser(wanted.language))
    weights = Weights(
        labels=wanted.labels, voices=wanted.voices, proximity=wanted.proximity, popularity=wanted.popularity
    )
    return LexicalRetriever(weights, analyser(wanted.language), folder=indexes)


def _query_generator(settings: Settings, closers: list[Close]) -> GeneratedQueries | None:
    if not settings.memory.model:
        return None
    return GeneratedQueries(Path(settings.memory.model), _store(settings, "queries", closers))


def _term_weights(settings: Settings, closers: list[Close]) -> TermWeights:
    if not settings.sparse.model:
        return CatalogueTerms()
    return SpladeTerms(Path(settings.sparse.model), _store(settings, "sparse", closers))


def _store(settings: Settings, name: str, closers: list[Close]) -> EncodedStore:
    store = EncodedStore(settings.data_dir / "cache" / f"{name}.sqlite")
    closers.append(store.close)
    return store

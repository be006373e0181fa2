"""Puts the parts together: the only file that names concrete classes."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from app.checkpoints import Checkpoints
from app.indexer import Indexer, ItemTable
from app.pipeline import Pipeline, Serving
from app.service import Service
from app.settings import Settings
from bandit.context import context_features
from bandit.coverage import CoverageModel, CoveragePolicy
from bandit.fixed import FixedPolicy
from bandit.learner import CoverageLearner
from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from bandit.warmup import WarmupPolicy
from core.catalogue import Catalogue
from core.errors import BowerbirdError
from core.protocols import Indexed, Learner, ModelRegistry, Policy, Ranker, Release, Retriever
from core.types import Plan
from feedback.learner import LearningLoop
from feedback.registry import FileRegistry
from feedback.reward import RewardRule
from feedback.sessions import Sessions
from feedback.sqlite_store import SqliteEventStore
from ranking.features.extractor import FeatureExtractor
from ranking.learner import RankerLearner
from ranking.ltr import LambdaMart
from ranking.rrf import ReciprocalRankFusion
from retrievers.analyser import analyser
from retrievers.customers import CustomersLearner
from retrievers.embeddings import QueryVectors, StoredEmbeddings
from retrievers.encoded_store import EncodedStore
from retrievers.encoder import open_encoder
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
from retrievers.popularity_model import PopularityLearner
from retrievers.q2e.generated import GeneratedQueries
from retrievers.q2e.memory_model import MemoryLearner
from retrievers.query_adapter_model import QueryAdapterLearner
from retrievers.related import RelatedRetriever
from retrievers.related_model import RelatedLearner
from retrievers.sparse import SparseRetriever
from retrievers.structure.readings_model import ReadingsLearner
from retrievers.structured import StructuredRetriever
from retrievers.vector import VectorRetriever

log = logging.getLogger(__name__)

ARMS = ("lexical", "structured", "vector", "sparse", "memory", "related", "personal", "explore", "popular")
# The arms whose ranks and scores the ranker sees. Each costs three features, and more of them have not paid for
# themselves yet: see docs/decisions/005-ranking-from-few-queries.md.
RANKED_ARMS = ("lexical", "vector", "memory", "popular")
_DAY_S = 86_400.0


def open_catalogue(settings: Settings) -> Catalogue:
    return Catalogue(settings.data_dir / "catalogue.sqlite")


def open_store(state: Path) -> SqliteEventStore:
    return SqliteEventStore(state / "events.sqlite")


def open_registry(state: Path) -> FileRegistry:
    return FileRegistry(state / "models")


def open_embeddings(settings: Settings) -> StoredEmbeddings:
    cache = settings.data_dir / "cache"
    return StoredEmbeddings(open_encoder(settings.vector.encoder, cache), cache / "embeddings.sqlite")


def build_service(settings: Settings, *, state: Path | None = None, clock: Callable[[], float] = time.time) -> Service:
    """A service that is not started yet. `state` holds events and models, by default the data directory."""
    state = state or settings.data_dir
    library = plan_library(settings)
    embeddings = open_embeddings(settings)
    query_vector = QueryVectors(embeddings)
    items = ItemTable()
    lexical = _lexical(settings, items)
    vector = VectorRetriever(embeddings, query_vector, items)
    closers: list[Callable[[], None]] = [embeddings.close]
    memory = MemoryRetriever(embeddings, query_vector, items, generate=_query_generator(settings, closers))
    structured = StructuredRetriever(items)
    sparse = SparseRetriever(_term_weights(settings, closers))
    related = RelatedRetriever(lexical, items)
    personal = PersonalRetriever(vector.index, query_vector)
    explore = ExploreRetriever(vector.index, query_vector, items)
    popular = PopularRetriever(items)
    built: tuple[Retriever, ...] = (
        lexical, structured, popular, memory, related, sparse, vector, personal, explore,
    )  # fmt: skip
    arms = {arm.name: arm for arm in built}
    extractor = FeatureExtractor(RANKED_ARMS, items)
    catalogue = open_catalogue(settings)
    registry = open_registry(state)
    # In this order they are told of changes: the structured arm while the table still knows what an item said before;
    # then the table, which the others look into; the arms that find by words, so that items can be shown early; and
    # what encodes last, because it is slow.
    followers: dict[str, Indexed] = {
        "structured": structured, "items": items, "features": extractor, "lexical": lexical, "popular": popular,
        "memory": memory, "sparse": sparse, "vector": vector,
    }  # fmt: skip
    pool = ThreadPoolExecutor(settings.service.threads, thread_name_prefix="arm")
    pipeline = Pipeline(
        arms=arms,
        items=items,
        extractor=extractor,
        context=context_features,
        fallback=_warmup(settings, library),
        pool=pool,
        deadline_ms=settings.retrieval.deadline_ms,
    )

    loaders: dict[str, tuple[Callable[[bytes | None], None], ...]] = {
        MemoryLearner.component: (memory.load,),
        PopularityLearner.component: (popular.load, extractor.load, explore.load),
        ReadingsLearner.component: (structured.load,),
        ExpansionLearner.component: (sparse.load,),
        RelatedLearner.component: (related.load,),
        CustomersLearner.component: (personal.load,),
    }
    if settings.vector.adapter:
        loaders[QueryAdapterLearner.component] = (vector.load,)
    loaded: dict[str, str | None] = {}

    def load_models() -> Serving:
        release = registry.current()
        for component, loads in loaders.items():
            digest = release.components.get(component) if release else None
            if loaded.get(component) != digest:  # most releases change a few components only
                model = _component(registry, release, component)
                for load in loads:
                    load(model)
                loaded[component] = digest
        return Serving(
            release=release.number if release else 0,
            policy=_policy(settings, library, _component(registry, release, CoverageLearner.component)),
            ranker=_ranker(extractor.names, _component(registry, release, RankerLearner.component)),
        )

    return Service(
        catalogue=catalogue,
        items=items,
        indexer=Indexer(catalogue, items, followers, _checkpoints(settings, catalogue, embeddings.version)),
        pipeline=pipeline,
        store=open_store(state),
        sessions=Sessions(settings.feedback.weights),
        registry=registry,
        plans={plan.name: plan for plan in library.plans},
        recall=memory.recall,
        load_models=load_models,
        count_facets=lexical.facets,
        config=settings.hash,
        pool=pool,
        clock=clock,
        closers=closers,
    )


def build_learning(settings: Settings, *, state: Path | None = None) -> LearningLoop:
    """The learning loop over the log in `state`, by default the data directory."""
    state = state or settings.data_dir
    catalogue = open_catalogue(settings)  # what was clicked says more when one knows what it is
    learners: list[Learner] = [
        MemoryLearner(half_life_s=settings.memory.half_life_days * _DAY_S, client_cap=settings.memory.client_cap),
        PopularityLearner(
            half_life_s=settings.popularity.half_life_days * _DAY_S,
            trend_half_life_s=settings.popularity.trend_half_life_days * _DAY_S,
            client_cap=settings.popularity.client_cap,
        ),
        ReadingsLearner(item=catalogue.get, half_life_s=settings.structured.half_life_days * _DAY_S),
        ExpansionLearner(
            catalogue.get,
            half_life_s=settings.sparse.half_life_days * _DAY_S,
            client_cap=settings.memory.client_cap,
        ),
        RelatedLearner(horizon_s=settings.related.horizon_days * _DAY_S),
        CustomersLearner(half_life_s=settings.personal.half_life_days * _DAY_S),
        RankerLearner(
            min_clicked=settings.ranking.min_clicked,
            retrain_every=settings.ranking.retrain_every,
            max_episodes=settings.ranking.max_episodes,
        ),
    ]
    if settings.vector.adapter:
        learners.append(
            QueryAdapterLearner(
                catalogue.get,
                lambda: open_embeddings(settings),
                half_life_s=settings.vector.half_life_days * _DAY_S,
                client_cap=settings.memory.client_cap,
            )
        )
    if settings.policy.kind == "coverage":
        learners.append(
            CoverageLearner(
                plan_library(settings),
                settings.policy.seed,
                min_clicked=settings.policy.min_clicked,
                cost_per_ms=settings.policy.cost_per_ms,
                gamma=settings.policy.gamma,
                floor=settings.policy.floor,
            )
        )
    rule = RewardRule(settings.feedback.weights)
    return LearningLoop(
        open_store(state),
        open_registry(state),
        learners,
        rule,
        window_s=settings.feedback.window_s,
        keep=settings.learner.keep_releases,
        closers=[catalogue.close],
    )


def plan_library(settings: Settings) -> PlanLibrary:
    """The configured plans, checked against the arms there are."""
    plans = tuple(Plan(name, depths) for name, depths in settings.retrieval.plans.items())
    return PlanLibrary(plans, default=settings.retrieval.default_plan, arms=ARMS)


def _query_generator(settings: Settings, closers: list[Callable[[], None]]) -> GeneratedQueries | None:
    if not settings.memory.model:
        return None
    return GeneratedQueries(Path(settings.memory.model), _store(settings, "queries", closers))


def _term_weights(settings: Settings, closers: list[Callable[[], None]]) -> TermWeights:
    if not settings.sparse.model:
        return CatalogueTerms()
    return SpladeTerms(Path(settings.sparse.model), _store(settings, "sparse", closers))


def _store(settings: Settings, name: str, closers: list[Callable[[], None]]) -> EncodedStore:
    store = EncodedStore(settings.data_dir / "cache" / f"{name}.sqlite")
    closers.append(store.close)
    return store


def _lexical(settings: Settings, items: ItemTable) -> LexicalRetriever | OkapiRetriever:
    wanted = settings.lexical
    if wanted.engine == "okapi":
        return OkapiRetriever(items, analyser(wanted.language))
    weights = Weights(
        labels=wanted.labels, voices=wanted.voices, proximity=wanted.proximity, popularity=wanted.popularity
    )
    return LexicalRetriever(weights, analyser(wanted.language), folder=_indexes(settings))


def _indexes(settings: Settings) -> Path:
    return settings.data_dir / "indexes"


def _checkpoints(settings: Settings, catalogue: Catalogue, encoder: str) -> Checkpoints:
    """Saved indexes of this catalogue, made by this code with these settings, models and libraries."""
    digest = hashlib.sha256(f"{catalogue.name} {encoder}".encode())
    digest.update(settings.model_dump_json(include={"lexical", "vector", "sparse", "memory"}).encode())
    for package in ("core", "ranking", "retrievers"):
        for source in sorted((Path(__file__).parent.parent / package).rglob("*.py")):
            digest.update(source.read_bytes())
    for library in ("faiss-cpu", "numpy", "tantivy"):
        digest.update(version(library).encode())
    return Checkpoints(_indexes(settings), digest.hexdigest()[:16])


def _policy(settings: Settings, library: PlanLibrary, model: bytes | None) -> Policy:
    seed = settings.policy.seed
    match settings.policy.kind:
        case "fixed":
            return FixedPolicy(library, settings.retrieval.default_plan)
        case "uniform":
            return UniformPolicy(library, seed)
    if model is not None:
        try:
            learned = CoverageModel.load(model)
            if learned.library == library:
                return CoveragePolicy(learned, seed=seed)
            log.warning("the policy was learned for other plans than are configured; it serves when it has relearned")
        except BowerbirdError:
            log.exception("the learned policy cannot be used; the default plan serves")
    return _warmup(settings, library)


def _warmup(settings: Settings, library: PlanLibrary) -> Policy:
    return WarmupPolicy(library, settings.policy.seed, settings.policy.explore)


def _ranker(names: tuple[str, ...], model: bytes | None) -> Ranker:
    if model is not None:
        try:
            return LambdaMart(model, names)
        except BowerbirdError:
            log.exception("the learned ranker cannot be used; reciprocal rank fusion serves")
    return ReciprocalRankFusion()


def _component(registry: ModelRegistry, release: Release | None, name: str) -> bytes | None:
    """The component's bytes; None when there is none, or when it is damaged, which is logged and served without."""
    if release is None or name not in release.components:
        return None
    try:
        return registry.load(release, name)
    except BowerbirdError:
        log.exception("component %s of release %d cannot be used", name, release.number)
        return None

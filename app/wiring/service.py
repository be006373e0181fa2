"""The service, built and not yet started."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from app.checkpoints import Checkpoints
from app.indexer import Indexer
from app.pipeline import Pipeline
from app.service import Service
from app.settings import Settings
from app.shadow import ShadowTraffic
from app.wiring.arms import build_arms
from app.wiring.models import Models
from app.wiring.plans import plan_library
from app.wiring.policies import warmup
from app.wiring.stores import open_catalogue, open_registry, open_store
from bandit.context import context_features
from core.catalogue import Catalogue
from feedback.sessions import Sessions

_ROOT = Path(__file__).parent.parent.parent


def build_service(settings: Settings, *, state: Path | None = None, clock: Callable[[], float] = time.time) -> Service:
    """A service that is not started yet. `state` holds events and models, by default the data directory."""
    state = state or settings.data_dir
    library = plan_library(settings)
    indexes = settings.data_dir / "indexes"
    arms = build_arms(settings, indexes)
    catalogue = open_catalogue(settings)
    checkpoints = Checkpoints(indexes, _version(settings, catalogue, arms.encoder))
    registry = open_registry(state)
    store = open_store(state)
    pool = ThreadPoolExecutor(settings.service.threads, thread_name_prefix="arm")
    return Service(
        catalogue=catalogue,
        items=arms.items,
        indexer=Indexer(catalogue, arms.items, arms.followers, checkpoints),
        pipeline=Pipeline(
            arms=arms.by_name,
            items=arms.items,
            extractor=arms.extractor,
            context=context_features,
            fallback=warmup(settings, library),
            pool=pool,
            deadline_ms=settings.retrieval.deadline_ms,
        ),
        store=store,
        shadows=ShadowTraffic(
            arms.by_name,
            store,
            share=settings.shadow.share,
            depth=settings.shadow.depth,
            seed=settings.policy.seed,
            clock=clock,
        ),
        sessions=Sessions(settings.feedback.weights),
        registry=registry,
        plans={plan.name: plan for plan in library.plans},
        recall=arms.memory.recall,
        load_models=Models(settings, registry, library, arms.extractor.names, arms.loads),
        count_facets=arms.lexical.facets,
        config=settings.hash,
        pool=pool,
        clock=clock,
        closers=arms.closers,
    )


def _version(settings: Settings, catalogue: Catalogue, encoder: str) -> str:
    """Of saved indexes: of this catalogue, made by this code with these settings, models and libraries."""
    digest = hashlib.sha256(f"{catalogue.name} {encoder}".encode())
    digest.update(settings.model_dump_json(include={"lexical", "vector", "sparse", "memory"}).encode())
    for package in ("core", "ranking", "retrievers"):
        for source in sorted((_ROOT / package).rglob("*.py")):
            digest.update(source.read_bytes())
    for library in ("faiss-cpu", "numpy", "tantivy"):
        digest.update(version(library).encode())
    return digest.hexdigest()[:16]

"""The service, built and not yet started."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from threading import Event

from app.indexing.checkpoints import Checkpoints
from app.indexing.indexer import Indexer
from app.search.fanout import FanOut
from app.search.gaps import Gaps
from app.search.shadow import ShadowTraffic
from app.service import Service
from app.settings import Settings
from app.wiring.after import build_neural
from app.wiring.arms import Arms, build_arms
from app.wiring.limits import arm_limits
from app.wiring.setup import SetupBuilder
from app.wiring.stores import listen, open_catalogue, open_judgments, open_registry, open_store
from core.catalogue import Catalogue
from feedback.sessions import Sessions

_ROOT = Path(__file__).parent.parent.parent


def build_service(
    settings: Settings,
    *,
    state: Path | None = None,
    saves: bool = True,
    clock: Callable[[], float] = time.time,
    changed_arms: Callable[[Arms], Arms] = lambda arms: arms,
) -> Service:
    """A service that is not started yet. `state` holds events and models, by default the data directory. `saves`: see
    Service.

    `changed_arms` may put other arms in the place of those that are built: an arm of your own, or one that fails.
    """
    catalogue = open_catalogue(settings)  # first: a database that is away is told at once
    indexes = settings.data_dir / "indexes"
    arms = changed_arms(build_arms(settings, indexes))
    checkpoints = Checkpoints(indexes, _version(settings, catalogue, arms.encoder))
    registry = open_registry(settings, state)
    store = open_store(settings, state)
    fan_out = FanOut(
        arms.by_name, arm_limits(settings), threads=settings.service.threads, remembered=settings.service.remembered
    )
    closers = [*arms.closers, fan_out.close]
    wake = Event()
    if state is None:
        closers += listen(settings, wake.set)
    gaps = Gaps()
    builder = SetupBuilder(arms, fan_out, registry, build_neural(settings, closers), gaps)
    return Service(
        catalogue=catalogue,
        items=arms.items,
        indexer=Indexer(catalogue, arms.items, arms.followers, checkpoints, beside=gaps.beside),
        setup=builder(settings),
        store=store,
        shadows=ShadowTraffic(
            arms.by_name,
            store,
            share=settings.shadow.share,
            depth=settings.shadow.depth,
            seed=settings.policy.seed,
            clock=clock,
            gaps=gaps,
        ),
        judgments=open_judgments(settings, state),
        sessions=Sessions(settings.feedback.weights),
        registry=registry,
        recall=arms.memory.recall,
        quality_words=arms.extractor.quality.words,
        count_facets=arms.lexical.facets,
        fan_out=fan_out,
        build_setup=builder,
        gaps=gaps,
        read_query=arms.structured.read,
        clock=clock,
        closers=closers,
        wake=wake,
        saves=saves,
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

"""What comes after the ranker, where it is configured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.degradation.daemon_threads import DaemonThreads
from app.search.neural import NeuralStage
from app.settings import Settings
from ranking.cross_encoder import CrossEncoderModel
from ranking.diversity import Diversity
from retrievers.document import passage
from retrievers.offline import never_ask_the_hub


def build_neural(settings: Settings, closers: list[Callable[[], None]]) -> NeuralStage | None:
    """Loads the model, which takes seconds; None without one."""
    wanted = settings.neural
    if not wanted.model:
        return None
    never_ask_the_hub()
    reader = CrossEncoderModel(Path(wanted.model), passage, tokens=wanted.tokens)
    pool = DaemonThreads(1, "neural")
    closers.append(pool.shutdown)
    return NeuralStage(reader, pool, top=wanted.top, weight=wanted.weight, deadline_ms=wanted.deadline_ms)


def build_diversity(settings: Settings) -> Diversity | None:
    """None where no rule is set."""
    wanted = settings.diversity
    diversity = Diversity(wanted.page, wanted.limit, wanted.near_duplicates, wanted.fresh)
    return None if diversity.off else diversity

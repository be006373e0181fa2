"""From settings to what they decide while serving, over the same arms: at the start, and again at every change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from app.search.fanout import FanOut
from app.search.gaps import Gaps
from app.search.neural import NeuralStage
from app.search.page_rules import PageRules
from app.search.pipeline import Pipeline
from app.settings import Settings
from app.setup import Setup
from app.wiring.after import build_diversity
from app.wiring.arms import Arms
from app.wiring.limits import arm_limits
from app.wiring.models import Models
from app.wiring.plans import plan_library
from app.wiring.policies import named_policies, warmup
from bandit.context import context_features
from core.protocols import ModelRegistry


@dataclass(slots=True)
class SetupBuilder:
    """`fan_out` keeps its threads and circuits, and the arms what they have loaded, whatever the settings."""

    arms: Arms
    fan_out: FanOut
    registry: ModelRegistry
    neural: NeuralStage | None
    gaps: Gaps
    _models: Models | None = None

    def __call__(self, settings: Settings) -> Setup:
        """InvalidConfig when the settings name a plan or an arm that does not go; nothing has changed then."""
        library = plan_library(settings)
        schema, loads = self.arms.extractor.schema, self.arms.loads
        models = Models(settings, self.registry, library, schema, loads, self._models, self.gaps)
        pipeline = Pipeline(
            arms=self.arms.by_name,
            items=self.arms.items,
            extractor=self.arms.extractor,
            context=context_features,
            fallback=warmup(settings, library),
            fan_out=self.fan_out,
            neural=self._read_by(settings),
            diversity=build_diversity(settings),
        )
        self._models = models
        return Setup(
            pipeline=pipeline,
            rules=PageRules(settings.ranking.swap, settings.ranking.sampled_negatives, settings.policy.seed),
            plans={plan.name: plan for plan in library.plans},
            load_models=models,
            policies=partial(named_policies, settings, library),
            config=settings.hash,
            request_ms=settings.degradation.request_ms,
            limits=arm_limits(settings),
            shadow_share=settings.shadow.share,
            shadow_depth=settings.shadow.depth,
        )

    def _read_by(self, settings: Settings) -> NeuralStage | None:
        wanted = settings.neural
        if self.neural is None:
            return None
        return replace(self.neural, top=wanted.top, weight=wanted.weight, deadline_ms=wanted.deadline_ms)

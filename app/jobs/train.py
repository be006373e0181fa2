"""Training by hand: the ranker's learner with all that is logged, and a release with what it made."""

from __future__ import annotations

from app.learning.ranker_trial import way_back
from app.settings import Settings
from app.wiring.learning import ranker_learner
from app.wiring.rollout import release_gate
from app.wiring.stores import open_registry, taught_episodes
from core.errors import InvalidInput, NotFound
from feedback.position_bias import PositionBias
from ranking.learner import RankerLearner
from ranking.training.gate import Verdict


def gathered(settings: Settings) -> RankerLearner:
    """With every closed search of the log, each corrected by what earlier ones tell of positions.

    InvalidInput when there are too few clicks.
    """
    learner = ranker_learner(settings, open_registry(settings))
    bias = PositionBias()
    for episode in taught_episodes(settings):
        learner.learn(bias.correct([episode]))
    if learner.clicked < settings.ranking.min_clicked:
        raise InvalidInput(
            "too_few_clicks",
            f"The log has {learner.clicked} usable searches with a click, ranking.min_clicked is "
            f"{settings.ranking.min_clicked}.",
            "Wait for more clicks, or lower ranking.min_clicked. Searches logged under other features do not count.",
        )
    return learner


def publish_ranker(settings: Settings, model: bytes, verdict: Verdict, *, now: float) -> int | None:
    """The number of the release; None when a gate keeps the model back. A trial comes before serving all."""
    registry = open_registry(settings)
    current = registry.current()
    gate = release_gate(settings, registry) if settings.ranking.trial != "none" else None
    admitted = gate.admit({RankerLearner.component: model}, current, now) if gate else {RankerLearner.component: model}
    if not admitted:
        return None
    notes = {"by": "operator", RankerLearner.component: verdict.reason}
    return registry.publish(admitted, notes=notes, onto=current).number


def take_back_ranker(settings: Settings) -> str:
    """Drops the candidate or, without one, returns to the model before; says which. NotFound when there is neither."""
    registry = open_registry(settings)
    current = registry.current()
    found = way_back(registry, current)
    if found is None:
        message = "There is no candidate and no earlier ranking model that a trial replaced."
        raise NotFound("nothing_to_take_back", message, "Go back to a release: `bowerbird policy rollback NUMBER`.")
    registry.publish(found[0], notes={"by": "operator", "ranker": found[1]}, onto=current)
    return found[1]

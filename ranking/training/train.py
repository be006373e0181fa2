"""LambdaMART by LightGBM (Burges 2010), on gains corrected by where they were shown, with sense as a constraint."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ranking.training.parameters import Parameters
from ranking.training.rows import Doubles, Matrix

Judge = Callable[[Doubles], float]
_PATIENCE = 50  # rounds without a better order of the later clicks
_WINDOW = 20  # rounds whose mean is compared: by a few hundred clicked pages, the first tree may look best by chance


def boost(
    rows: Matrix,
    names: Sequence[str],
    directions: Sequence[int],
    parameters: Parameters,
    *,
    later: tuple[Matrix, Judge] | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> str:
    """LightGBM's text format. `later` are rows that say when to stop, and how good their scores are (higher is better).

    `progress` is told the number of every finished round.
    """
    import lightgbm  # slow to import: see ranking.ltr

    dataset = lightgbm.Dataset(
        rows.values,
        label=rows.labels,
        weight=rows.weights,
        group=rows.groups,
        feature_name=list(names),
        free_raw_data=True,
    )
    wanted: dict[str, Any] = {**parameters.lightgbm(), "monotone_constraints": list(directions)}
    callbacks: list[Any] = [lambda environment: progress(environment.iteration + 1)]
    stopping: dict[str, Any] = {}
    if later is not None:
        (held, judge), wanted["metric"] = later, "None"
        valid = lightgbm.Dataset(held.values, label=held.labels, group=held.groups, reference=dataset)
        steady = _steady(judge)
        stopping = {"valid_sets": [valid], "feval": lambda scores, _: ("debiased_ndcg", steady(scores), True)}
        callbacks.append(lightgbm.early_stopping(_PATIENCE, verbose=False))
    booster = lightgbm.train(wanted, dataset, num_boost_round=parameters.trees, callbacks=callbacks, **stopping)
    return str(booster.model_to_string(num_iteration=booster.best_iteration or -1))


def _steady(judge: Judge) -> Judge:
    """The mean over the last rounds, 0 until there are enough."""
    latest: deque[float] = deque(maxlen=_WINDOW)

    def mean(scores: Doubles) -> float:
        latest.append(judge(scores))
        return sum(latest) / _WINDOW if len(latest) == _WINDOW else 0.0

    return mean

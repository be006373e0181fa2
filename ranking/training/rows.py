"""What the ranker learns from: clicked pages in the order of the log, cut in three by time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.episodes import Episode
from core.text import query_key
from core.types import Floats
from ranking.features.feature import Schema
from ranking.training.parameters import GRAIN, Parameters

Doubles = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClickedPage:
    """One clicked search: [shown, features] and, per shown item, gain, position (from 1) and examination.

    `sampled` are the features of candidates that were drawn from below the page, each for `stands_for` of them.
    """

    key: str
    features: Floats
    gains: Doubles
    positions: Whole
    examination: Doubles
    sampled: Floats
    stands_for: float = 1.0


@dataclass(frozen=True, slots=True)
class Split:
    """By time: to fit trees on, to say when to stop, and, touched by neither, to decide whether to publish."""

    fit: Sequence[ClickedPage]
    stop: Sequence[ClickedPage]
    judge: Sequence[ClickedPage]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows as LightGBM takes them: `groups[i]` rows are of the i-th page. A label is a gain in steps of 1 / GRAIN.
    `stands` is for how many candidates of the answer a row is there."""

    values: Floats
    labels: Whole
    weights: Doubles
    groups: Whole
    stands: Doubles


def clicked_page(episode: Episode, schema: Schema) -> ClickedPage | None:
    """None where nothing was preferred to anything, or where the features mean something else by now."""
    impression = episode.impression
    if len(impression.shown) < 2 or not any(gain > 0 for gain in episode.gains):
        return None
    if impression.features.schema != schema.version:
        return None
    sampled = impression.sampled.values.reshape(-1, len(schema.names))
    return ClickedPage(
        key=query_key(impression.query.text),
        features=impression.features.values,
        gains=np.array(episode.gains, dtype=np.float64),
        positions=np.arange(len(impression.shown)) + impression.first_position,
        examination=np.array(episode.examination, dtype=np.float64),
        sampled=sampled,
        stands_for=max(impression.below, 1) / max(len(sampled), 1),
    )


def split(pages: Sequence[ClickedPage]) -> Split:
    """The newest fifth to judge by, the tenth before it to stop by."""
    stop, judge = len(pages) * 7 // 10, len(pages) * 4 // 5
    return Split(pages[:stop], pages[stop:judge], pages[judge:])


def matrix(pages: Sequence[ClickedPage], schema: Schema, parameters: Parameters) -> Matrix:
    """Every page as it was and, as a copy, without the features by which trees could know its answers again, so that
    the model also learns to order answers to new queries (Volkovs et al. 2017, "DropoutNet").

    A gain counts 1 / examination of where it was shown: a click where few people look stands for those who did not
    (Joachims, Swaminathan and Schnabel 2017). A row from below the page has none. LightGBM divides what a page counts
    by the DCG of its best order, which for a page of one click would cancel the examination; the weights undo that.
    """
    seen = [np.vstack([page.features, page.sampled]) for page in pages]
    values = np.vstack(seen)
    labels = [np.round(GRAIN * np.clip(page.gains / page.examination, 0, parameters.most_gain)) for page in pages]
    best = [1.0 if parameters.equal_pages else best_dcg(label / GRAIN, parameters.truncation) for label in labels]
    weights, copies = _weights(pages, best, parameters), parameters.history_dropout
    groups = np.array([len(rows) for rows in seen], dtype=np.int64)
    whole = Matrix(
        values=np.vstack([values, schema.unasked(values)]),
        labels=np.tile(np.concatenate(_padded(labels, groups)), 2).astype(np.int64),
        weights=np.concatenate([weights, copies * weights]),
        groups=np.tile(groups, 2),
        stands=np.tile(np.concatenate([_stands(page) for page in pages]), 2),
    )
    return whole if copies else _first_half(whole)


def best_dcg(gains: Doubles, cut: int | None = None) -> float:
    """DCG of the best order."""
    best = np.sort(gains)[::-1][:cut]
    return float(best @ (1 / np.log2(2 + np.arange(len(best)))))


def _weights(pages: Sequence[ClickedPage], best: Sequence[float], parameters: Parameters) -> Doubles:
    """By query, not by page: asked a hundred times, it is not a hundred times the evidence on how to rank."""
    asked = Counter(page.key for page in pages)
    ones = [np.ones(len(page.gains)) for page in pages]
    below = [np.full(len(page.sampled), parameters.sampled_weight) for page in pages]
    each = [
        np.concatenate([shown, sampled]) * dcg / asked[page.key]
        for shown, sampled, dcg, page in zip(ones, below, best, pages, strict=True)
    ]
    weights = np.concatenate(each)
    scaled: Doubles = weights / weights.mean()
    return scaled


def _stands(page: ClickedPage) -> Doubles:
    return np.concatenate([np.ones(len(page.gains)), np.full(len(page.sampled), page.stands_for)])


def _padded(labels: Sequence[Doubles], groups: Whole) -> list[Doubles]:
    return [np.pad(each, (0, int(size) - len(each))) for each, size in zip(labels, groups, strict=True)]


def _first_half(whole: Matrix) -> Matrix:
    rows, groups = len(whole.labels) // 2, len(whole.groups) // 2
    return Matrix(
        whole.values[:rows], whole.labels[:rows], whole.weights[:rows], whole.groups[:groups], whole.stands[:rows]
    )

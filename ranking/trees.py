"""Regression trees of LightGBM, evaluated for a page of rows at once in numpy, several times as fast as by LightGBM.

QuickScorer (Lucchese et al. 2015, "QuickScorer: a fast algorithm to rank documents with additive ensembles of
regression trees"). The leaves of a tree are the bits of a word, the leftmost one the lowest. A split that fails, so
that one goes right, clears the bits of the leaves on its left; the lowest bit after all failing splits is the leaf. The
splits on one feature are sorted by threshold, so all that fail for a value are one look-up: their words, combined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.types import Floats

Doubles = NDArray[np.float64]
Words = NDArray[Any]

_ROWS = 256  # that are evaluated at a time: what one feature fills should stay in the cache
_ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_AS_ZERO, _ZERO_MISSING, _NAN_MISSING = 0, 1, 2  # missing_type: NaN counts as 0; NaN and 0 are missing; NaN is
_OBJECTIVES = ("lambdarank", "rank_xendcg")  # whose output is the sum of the leaves
# Multiplied by a power of two, a de Bruijn sequence has another number in its highest bits for each.
_DE_BRUIJN = {16: (np.uint16, 0x09AF, 12), 32: (np.uint32, 0x077CB531, 27), 64: (np.uint64, 0x03F79D71B4CB0A89, 58)}


class Unsupported(ValueError):
    """The model has what these trees don't: it is left to LightGBM."""


class _Split(NamedTuple):
    """`left`: the bits of the leaves on its left."""

    tree: int
    threshold: float
    default_left: bool
    left: int


@dataclass(frozen=True, slots=True)
class _Group:
    """The splits on one feature that treat missing values alike, in `thresholds` ascending.

    `words[k]` is [trees], all splits with the first k thresholds having failed; the last row is for missing values.
    """

    feature: int
    missing: int
    thresholds: Doubles
    words: Words

    def rows(self, values: Doubles) -> NDArray[np.intp]:
        """Which row of `words` each value calls for."""
        absent = np.isnan(values)
        if self.missing == _AS_ZERO:
            return self.thresholds.searchsorted(np.where(absent, 0.0, values))
        if self.missing == _ZERO_MISSING:
            absent |= values == 0
        rows = self.thresholds.searchsorted(values)
        rows[absent] = len(self.words) - 1
        return rows


class Trees:
    """The sum of the trees of a model in LightGBM's text format. Unsupported: categorical splits, linear leaves, more
    than 64 leaves, averaged trees, several outputs, or an output that is not the sum."""

    def __init__(self, text: str) -> None:
        head, trees = _sections(text)
        _check(head)
        leaves = max((int(tree["num_leaves"]) for tree in trees), default=1)
        if leaves > max(_DE_BRUIJN):
            raise Unsupported(f"a tree has {leaves} leaves, and {max(_DE_BRUIJN)} are the most")
        bits = min(size for size in _DE_BRUIJN if size >= leaves)
        self._word, sequence, self._shift = _DE_BRUIJN[bits]
        self._sequence = self._word(sequence)
        self._starts = np.arange(len(trees)) * bits
        self._leaves = np.zeros(len(trees) * bits)
        splits: dict[tuple[int, int], list[_Split]] = defaultdict(list)
        places = (self._word(1) << np.arange(bits, dtype=self._word)) * self._sequence >> self._word(self._shift)
        for number, tree in enumerate(trees):
            values = [float(value) for value in tree["leaf_value"].split()]
            order = list(_read(number, tree, splits))
            self._leaves[number * bits + places[: len(order)].astype(np.intp)] = [values[leaf] for leaf in order]
        self._groups = [self._group(key, found, len(trees)) for key, found in sorted(splits.items())]

    def predict(self, values: Floats | Doubles) -> Doubles:
        """[rows] sums for [rows, features]."""
        columns = np.array(np.asarray(values).T, dtype=np.float64, order="C")
        columns[np.abs(columns) <= _ZERO] = 0.0  # as LightGBM does with what it is given
        parts = [self._page(columns[:, start : start + _ROWS]) for start in range(0, columns.shape[1], _ROWS)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _page(self, columns: Doubles) -> Doubles:
        same = np.full(len(self._starts), -1).astype(self._word)  # of all rows: much of a query's features is
        words = None
        for group in self._groups:
            rows = group.rows(columns[group.feature])
            if (rows == rows[0]).all():
                same &= group.words[rows[0]]
            elif words is None:
                words = group.words.take(rows, axis=0)
            else:
                words &= group.words.take(rows, axis=0)
        words = np.broadcast_to(same, (columns.shape[1], len(same))) if words is None else words & same
        lowest = words & (~words + self._word(1))
        places = (lowest * self._sequence >> self._word(self._shift)).astype(np.intp)
        places += self._starts
        total: Doubles = self._leaves.take(places).sum(axis=1)
        return total

    def _group(self, key: tuple[int, int], splits: Sequence[_Split], trees: int) -> _Group:
        thresholds = np.unique([split.threshold for split in splits])
        words = np.full((len(thresholds) + 2, trees), -1).astype(self._word)
        at = np.searchsorted(thresholds, [split.threshold for split in splits])
        for row, split in zip(at.tolist(), splits, strict=True):
            words[row + 1, split.tree] &= self._word(~split.left & int(words[0, 0]))
        words[:-1] = np.bitwise_and.accumulate(words[:-1], axis=0)
        for split in splits:
            if not split.default_left:
                words[-1, split.tree] &= self._word(~split.left & int(words[0, 0]))
        return _Group(key[0], key[1], thresholds, words)


def feature_names(text: str) -> list[str]:
    """Of a model in LightGBM's text format, in the order of the columns; none of what is no such model."""
    head = text.partition("\nTree=")[0]  # the rest is long
    return _pairs(head).get("feature_names", "").split()


def _read(number: int, tree: Mapping[str, str], splits: dict[tuple[int, int], list[_Split]]) -> Iterator[int]:
    """The leaves from left to right; the splits on the way are added by (feature, how values are missing)."""
    if int(tree["num_leaves"]) == 1:
        yield 0
        return
    features, kinds, lefts, rights = (
        [int(value) for value in tree[name].split()]
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds = [float(value) for value in tree["threshold"].split()]
    if any(kind & _CATEGORICAL for kind in kinds):
        raise Unsupported("a split is categorical")
    if tree.get("is_linear", "0") != "0":
        raise Unsupported("a leaf is linear")
    order: list[int] = []
    # Nodes still to visit; a pair closes a left side, whose leaves are those found since.
    waiting: list[int | tuple[int, int]] = [0]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            split, first = node
            left = (1 << len(order)) - (1 << first)
            kind = kinds[split]
            default_left = bool(kind & _DEFAULT_LEFT)
            splits[features[split], kind >> 2 & 3].append(_Split(number, thresholds[split], default_left, left))
        elif node < 0:
            order.append(~node)
        else:
            waiting += [rights[node], (node, len(order)), lefts[node]]
    yield from order


def _sections(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The head, and each tree, as what is written `name=value` there."""
    before, *trees = text.partition("\nend of trees")[0].split("\nTree=")
    return _pairs(before), [_pairs(tree) for tree in trees]


def _pairs(lines: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in lines.split("\n"))}


def _check(head: Mapping[str, str]) -> None:
    if head.get("objective", "").partition(" ")[0] not in _OBJECTIVES:
        raise Unsupported(f"objective {head.get('objective')!r} is none of {', '.join(_OBJECTIVES)}")
    if "average_output" in head or head.get("num_tree_per_iteration", "1") != "1":
        raise Unsupported("the output is not the sum of one row of trees")

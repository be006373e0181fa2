"""A contextual bandit in Vowpal Wabbit (`--cb_explore_adf --squarecb`), behind one typed encoder, and its export."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

if TYPE_CHECKING:
    import vowpalwabbit

Doubles = NDArray[np.float64]
GAMMA_EXPONENT = 0.5
_FNV_PRIME = 16_777_619


class SquareCb:
    """Cost of an action = a @ W @ [x, 1]: its K indicators a, each crossed with the `width` context features.

    VW crosses feature i of one namespace with j of another at index (i * FNV prime) xor j. The primes's inverse modulo
    the table's size undoes that: action feature k and context feature f have the index k * 2^low + f, with nothing
    hashed and no collision. VW dies of some malformed examples and of some damaged models, and learns silently from NaN
    and from p = 0, so nothing but this class speaks to it. Not for several threads.
    """

    def __init__(
        self, actions: NDArray[np.bool_], width: int, *, gamma: float, seed: int, saved: bytes | None = None
    ) -> None:
        """`actions` is [M, K]. `saved`, what `save` of an equal one returned, goes on where that was; bytes whose
        content isn't known to be whole must never come here. `gamma` is multiplied by sqrt(rows learned)."""
        import vowpalwabbit  # here, because whoever serves imports the learner's name but must never load VW

        self._new_example = vowpalwabbit.Example
        self._width = width
        self._low = int(width).bit_length()  # holds the numbers 0 to width
        features = actions.shape[1]
        bits = max(10, self._low + int(features).bit_length())
        inverse = pow(_FNV_PRIME, -1, 1 << bits)
        keys = [(feature << self._low) * inverse % (1 << bits) for feature in range(features)]
        self._features = features
        self._actions = [[(keys[feature], 1.0) for feature in np.flatnonzero(row)] for row in actions]
        options = (
            f"--cb_explore_adf --squarecb --gamma_scale {gamma!r} --gamma_exponent {GAMMA_EXPONENT} --cb_type mtr "
            f"--quadratic ac --ignore_linear a --ignore_linear c --noconstant --bit_precision {bits} "
            f"--random_seed {seed} --quiet"
        )
        if saved is None:
            self._vw = vowpalwabbit.Workspace(options)
        else:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model"
                path.write_bytes(saved)
                self._vw = vowpalwabbit.Workspace(f"--initial_regressor {path} --quiet")

    def learn(self, action: int, values: Doubles, *, cost: float, propensity: float) -> None:
        """One step. InvalidInput for an action that isn't there, another width, a number that isn't finite, or a
        propensity outside (0, 1]."""
        if not (0 <= action < len(self._actions) and np.isfinite(cost) and 0 < propensity <= 1):
            raise InvalidInput(
                "bad_label",
                f"Action {action} of {len(self._actions)}, cost {cost}, propensity {propensity}.",
                "A cost must be finite, a propensity above 0 and at most 1.",
            )
        examples = self._examples(values, {action: f"0:{cost:.9g}:{propensity:.9g}"})
        self._vw.learn(examples)
        self._vw.finish_example(examples)

    def propensities(self, values: Doubles) -> Doubles:
        """[M] VW's own, float32; serving computes them from `export` instead."""
        examples = self._examples(values, {})
        chances = np.array(self._vw.predict(examples))
        self._vw.finish_example(examples)
        return chances

    def export(self) -> Doubles:
        """[K, width + 1] weights W, the intercept last."""
        rows = [
            [self._vw.get_weight((feature << self._low) | n) for n in range(self._width + 1)]
            for feature in range(self._features)
        ]
        return np.array(rows)

    def save(self) -> bytes:
        """VW's own model, with all that learning on needs."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            self._vw.save(str(path))
            return path.read_bytes()

    def close(self) -> None:
        self._vw.finish()

    def _examples(self, values: Doubles, labels: dict[int, str]) -> list[vowpalwabbit.Example]:
        """The shared context, then every action."""
        if values.shape != (self._width,) or not np.isfinite(values).all():
            raise InvalidInput(
                "bad_example",
                f"{values.shape[0]} of {self._width} features, finite: {bool(np.isfinite(values).all())}.",
                "Features must be finite and fit the model.",
            )
        context = [(n, value) for n, value in enumerate(values.tolist()) if value]
        examples = [self._example({"c": [*context, (self._width, 1.0)]}, "shared")]
        for action, features in enumerate(self._actions):
            examples.append(self._example({"a": features}, labels.get(action, "")))
        return examples

    def _example(self, features: dict[str, list[tuple[int, float]]], label: str) -> vowpalwabbit.Example:
        example = self._new_example(self._vw, features)
        if label:
            example.set_label_string(label)
        example.setup_example()  # of several lines, VW doesn't do it itself
        return example

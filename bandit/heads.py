"""Online logistic regressions in Vowpal Wabbit, behind one typed encoder, and their exact export as an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

if TYPE_CHECKING:
    import vowpalwabbit

Doubles = NDArray[np.float64]


class LinearHeads:
    """`count` independent regressions over the same `width` features, each with an intercept.

    All live in one VW model: head h, feature f has the index h * (width + 1) + f, so nothing is hashed and nothing
    collides. VW dies of some malformed examples and learns silently from NaN, so nothing but `learn` speaks to it.
    """

    def __init__(self, count: int, width: int, *, seed: int) -> None:
        import vowpalwabbit  # here, because whoever serves imports the learner's name but must never load VW

        self._count = count
        self._width = width
        self._new_example = vowpalwabbit.Example
        bits = max(10, int(np.ceil(np.log2(count * (width + 1) + 1))))
        self._vw = vowpalwabbit.Workspace(
            f"--loss_function logistic --link logistic --noconstant --bit_precision {bits} --random_seed {seed} --quiet"
        )

    def learn(self, head: int, values: Doubles, *, label: bool, weight: float = 1.0) -> None:
        """One step. InvalidInput for a head that isn't there, another width, or a number that isn't finite."""
        if not (np.isfinite(weight) and weight > 0):
            raise InvalidInput("bad_weight", f"Weight {weight} is not a positive number.", "Correct the reward rule.")
        example = self._example(head, values)
        example.set_label_string(f"{1 if label else -1} {weight:.6g}")
        self._vw.learn(example)
        self._vw.finish_example(example)

    def predict(self, head: int, values: Doubles) -> float:
        """VW's own probability; serving uses `export` instead."""
        example = self._example(head, values)
        probability = float(self._vw.predict(example))
        self._vw.finish_example(example)
        return probability

    def export(self) -> Doubles:
        """[count, width + 1] weights, the intercept last: p = sigmoid(w[:-1] @ x + w[-1])."""
        total = self._count * (self._width + 1)
        return np.array([self._vw.get_weight(index) for index in range(total)]).reshape(self._count, self._width + 1)

    def close(self) -> None:
        self._vw.finish()

    def _example(self, head: int, values: Doubles) -> vowpalwabbit.Example:
        if not 0 <= head < self._count or values.shape != (self._width,) or not np.isfinite(values).all():
            raise InvalidInput(
                "bad_example",
                f"Head {head} of {self._count} with {values.shape[0]} of {self._width} features, finite: "
                f"{bool(np.isfinite(values).all())}.",
                "Features must be finite and fit the model.",
            )
        start = head * (self._width + 1)
        features = [(start + n, value) for n, value in enumerate(values.tolist()) if value]
        return self._new_example(self._vw, {"x": [*features, (start + self._width, 1.0)]})

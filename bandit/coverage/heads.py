"""Online logistic regressions in Vowpal Wabbit, behind one typed encoder, and their exact export as an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

if TYPE_CHECKING:
    import vowpalwabbit

Doubles = NDArray[np.float64]


class LinearHeads:
    """Independent regressions over the same `width` features, each with an intercept; those of a group share a part.

    All live in one VW model of blocks of width + 1 weights: one block per head, then one per group; a head's weights
    are the sum of its own and its group's. Feature f of block b has the index b * (width + 1) + f, so nothing is hashed
    and nothing collides. VW dies of some malformed examples and learns silently from NaN, so nothing but `learn` speaks
    to it.
    """

    def __init__(self, groups: Sequence[int], width: int, *, seed: int) -> None:
        """`groups`: of each head, from 0 on."""
        import vowpalwabbit  # here, because whoever serves imports the learner's name but must never load VW

        self._count = len(groups)
        self._groups = [self._count + group for group in groups]
        self._width = width
        self._new_example = vowpalwabbit.Example
        total = (max(self._groups) + 1) * (width + 1)
        bits = max(10, int(np.ceil(np.log2(total + 1))))
        self._vw = vowpalwabbit.Workspace(
            f"--loss_function logistic --link logistic --noconstant --quiet --bit_precision {bits} --random_seed {seed}"
        )

    def learn(self, head: int, values: Doubles, target: float, *, weight: float = 1.0) -> None:
        """One step towards a target in [0, 1]; one in between is that much of a yes and the rest of a no.

        InvalidInput for a head that isn't there, another width, or a number that isn't finite or in its range.
        """
        if not 0 <= target <= 1:
            raise InvalidInput("bad_target", f"Target {target} is not from 0 to 1.", "Correct the reward rule.")
        if not (np.isfinite(weight) and weight > 0):
            raise InvalidInput("bad_weight", f"Weight {weight} is not a positive number.", "Correct the reward rule.")
        for label, share in ((1, target), (-1, 1 - target)):
            if share > 0:
                example = self._example(head, values)  # a new one: VW keeps the weight that it saw first
                example.set_label_string(f"{label} {share * weight:.6g}")
                self._vw.learn(example)
                self._vw.finish_example(example)

    def predict(self, head: int, values: Doubles) -> float:
        """VW's own probability; serving uses `export` instead."""
        example = self._example(head, values)
        probability = float(self._vw.predict(example))
        self._vw.finish_example(example)
        return probability

    def export(self) -> Doubles:
        """[heads, width + 1] weights, the intercept last: p = sigmoid(w[:-1] @ x + w[-1])."""
        blocks = max(self._groups) + 1
        every = np.array([self._vw.get_weight(index) for index in range(blocks * (self._width + 1))])
        every = every.reshape(blocks, self._width + 1)
        weights: Doubles = every[: self._count] + every[self._groups]
        return weights

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
        starts = [block * (self._width + 1) for block in (head, self._groups[head])]
        known = [(n, value) for n, value in enumerate([*values.tolist(), 1.0]) if value]
        return self._new_example(self._vw, {"x": [(start + n, value) for start in starts for n, value in known]})

"""How figures go over time, or over searches: bounded steps, told in stretches of about equally many searches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.insights.loggers import Loggers
from app.insights.sums import Sum
from core.episodes import Episode

MOST = 192
_STRETCHES = 40
_LEAST = 10
_CONTROL = 30  # searches of a control, which is a small share, for a figure


@dataclass(slots=True)
class Step:
    """What happened in one step. `places` are the x; `control` is the part of a rollout's permanent control."""

    places: Sum = field(default_factory=Sum)
    reward: Sum = field(default_factory=Sum)
    control: Sum = field(default_factory=Sum)
    milliseconds: Sum = field(default_factory=Sum)
    loggers: Loggers = field(default_factory=Loggers)
    arms: Counter[str] = field(default_factory=Counter)

    def add(self, x: float, episode: Episode, *, control: bool) -> None:
        impression = episode.impression
        self.places.add(x)
        (self.control if control else self.reward).add(episode.reward)
        self.loggers.add(impression.choice, episode.reward)
        self.milliseconds.add(sum(report.took_ms for report in impression.arms.values()))
        self.arms.update(impression.choice.plan.depths.keys())

    def merge(self, other: Step) -> None:
        self.places.merge(other.places)
        self.reward.merge(other.reward)
        self.control.merge(other.control)
        self.milliseconds.merge(other.milliseconds)
        self.loggers.merge(other.loggers)
        self.arms.update(other.arms)

    @property
    def searches(self) -> int:
        return self.reward.count + self.control.count

    def to_json(self, plan: str | None) -> dict[str, Any]:
        """`best`: what `plan` would have earned in this step, absent where nobody can tell."""
        best = self.loggers.rewards().get(plan) if plan else None
        return {
            **({"best": best.to_json()} if best else {}),
            "searches": self.searches,
            "reward": self.reward.to_json(),
            "milliseconds": self.milliseconds.to_json(),
            "arms": {arm: asked / self.searches for arm, asked in sorted(self.arms.items())},
        }


class Course:
    """Steps of equal width along x, which begin at the first x. What falls before that is of the first step."""

    def __init__(self, width: float, most: int = MOST) -> None:
        self._width = width
        self._most = most
        self._begin: float | None = None
        self._steps: dict[int, Step] = {}

    def add(self, x: float, episode: Episode, *, control: bool = False) -> None:
        if self._begin is None:
            self._begin = x
        while (number := max(0, int((x - self._begin) // self._width))) >= self._most:
            self._widen()
        self._steps.setdefault(number, Step()).add(x, episode, control=control)

    def to_json(self, plan: str | None) -> list[dict[str, Any]]:
        """Stretches with enough searches to say something, each with its `begin` and `end`, and the mean `x`."""
        begin, stretches = self._begin or 0.0, self._stretches()
        return [
            {
                "x": step.places.total / step.places.count,
                "begin": begin + first * self._width,
                "end": begin + (last + 1) * self._width,
                **step.to_json(plan),
                "control": _control([each for _, _, each in stretches[: number + 1]]),
            }
            for number, (first, last, step) in enumerate(stretches)
        ]

    def _stretches(self) -> list[tuple[int, int, Step]]:
        """(first, last, sum) of neighbouring steps; the last is joined with the one before where it is small."""
        enough = max(_LEAST, sum(step.searches for step in self._steps.values()) / _STRETCHES)
        found: list[tuple[int, int, Step]] = []
        full = True
        for number, step in sorted(self._steps.items()):
            if full:
                found.append((number, number, Step()))
            first, _, whole = found[-1]
            whole.merge(step)
            found[-1] = first, number, whole
            full = whole.searches >= enough
        if len(found) > 1 and found[-1][2].searches < enough / 2:
            _, last, rest = found.pop()
            first, _, whole = found[-1]
            whole.merge(rest)
            found[-1] = first, last, whole
        return found

    def _widen(self) -> None:
        """Two steps become one."""
        self._width *= 2
        merged: dict[int, Step] = {}
        for number, step in sorted(self._steps.items()):
            merged.setdefault(number // 2, Step()).merge(step)
        self._steps = merged


def _control(steps: Sequence[Step]) -> dict[str, Any]:
    """Of the last steps that have enough of the control's searches together; until then their number alone."""
    found = Sum()
    for step in reversed(steps):
        found.merge(step.control)
        if found.count >= _CONTROL:
            return found.to_json()
    return {"count": found.count}

"""The contest on a recorded world with several kinds of query, and what it says about each policy, kind and arm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.settings import Settings, load_settings
from app.wiring.plans import plan_library
from bandit.plan_builder import build_plans
from bandit.plans import PlanLibrary
from bandit.shadowed_clicks import ShadowedClicks
from bandit.warmup import WarmupPolicy
from benchmarks.courses import Course, Searches, best_of_each_kind, oracle
from benchmarks.hindsight import Doubles
from benchmarks.learning_in_hindsight import Terms, learned, served, warmup_chances
from benchmarks.recorded import DEPTH
from benchmarks.static_plans import Library, Values, World, best_static, climbed
from benchmarks.traffic_kinds import KINDS
from core.types import Episode, Plan

STATED = (
    "rewards are exact expectations over a policy's draws and over clicks; net = reward - price * ms; one recording, "
    "whose memory learned from clicks under all arms; runs differ in query ids and clicks; every policy ranks by "
    "reciprocal rank fusion; 'end' is the last third of the searches"
)
# A millisecond's price is such that asking all arms for 100 costs this part of what it earns: felt, and not decisive.
_ALL_ARMS_COST = 0.05
_PRICES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # times that price, for the curve of reward over cost
_BUILT_AFTER = 6  # the library is built from the first sixth of the traffic,
_BUILD_SHADOWS = 250  # of which about as many have a shadow: an operator who wants a library soon raises their share
_PLANS = 24
_SEED = 1


@dataclass(frozen=True, slots=True)
class Contest:
    """What all parts need: the world, the kind of each search [T], the settings and the configured plans."""

    world: World
    kinds: NDArray[np.int64]
    settings: Settings
    configured: Library
    price: float

    @property
    def end(self) -> NDArray[np.int64]:
        """The searches of the last third."""
        return np.arange(len(self.kinds) - len(self.kinds) // 3, len(self.kinds))


def report(world: World, kinds: Sequence[str], *, runs: Iterable[int], say: Callable[[str], None]) -> dict[str, Any]:
    """Everything that was measured; `figures` are those of the whole benchmark."""
    settings = load_settings()
    everything = Course.of_plan(world, Plan("everything", dict.fromkeys(world.recording.arms, DEPTH)))
    price = _ALL_ARMS_COST * float(everything.reward.mean() / everything.ms.mean())
    number = np.array([KINDS.index(kind) for kind in kinds])
    contest = Contest(world, number, settings, Library.of(world, plan_library(settings)), price)
    static = best_static(world, price, seed=_SEED)
    late = climbed(world, world.depths(static), Values(world, contest.end, price))
    say(f"best static plan {dict(static.depths)}, of the last third {dict(late.depths)}")
    logs = {run: _first_part(contest, run) for run in runs}
    libraries = {run: _built(contest, log, price) for run, log in logs.items()}
    built = {run: _learned(contest, libraries[run], log, price, run) for run, log in logs.items()}
    say("learned with built plans")
    plain = {run: _learned(contest, contest.configured, (), price, run) for run in logs}
    say("learned with configured plans")
    coverage = {run: _course(contest, libraries[run], chances) for run, chances in built.items()}
    configured = {run: _course(contest, contest.configured, chances) for run, chances in plain.items()}
    first = next(iter(libraries.values()))
    courses = {
        "coverage": Course.mean(list(coverage.values())),
        "coverage, configured plans": Course.mean(list(configured.values())),
        "coverage, unexplored": Course.mean(
            [_course(contest, libraries[run], _favourites(chances)) for run, chances in built.items()]
        ),
        "coverage, configured plans, unexplored": Course.mean(
            [_course(contest, contest.configured, _favourites(chances)) for chances in plain.values()]
        ),
        "best static": Course.of_plan(world, static),
        "best static of the last third": Course.of_plan(world, late),
        "fixed": Course.of_plan(world, contest.configured.plans.plan(contest.configured.plans.default)),
        "uniform": _uniform(contest.configured),
        "all arms at 100": everything,
        "best built plan of each kind": best_of_each_kind(first, number, price),
        "best configured plan of each kind": best_of_each_kind(contest.configured, number, price),
        "best built plan of each search": oracle(first, price),
    }
    curve = _curve(contest, logs, everything, say)
    return {
        "figures": {
            "real.static_ratio": _ratio(courses["coverage"], courses["best static"], contest.end, price),
            "real.cost_ratio": _cost_ratio(curve, 0.99),
        },
        "static_ratios": _static_ratios(contest, coverage, configured, courses),
        "cost_ratio_at_full_quality": _cost_ratio(curve, 1.0),
        "price_per_ms": price,
        "curve": curve,
        "policies": {name: _summaries(contest, course) for name, course in courses.items()},
        "arms": _arms(contest, courses),
        "arm_ms": dict(zip(world.recording.arms, world.recording.arm_ms.tolist(), strict=True)),
        "plans": {
            "best static": dict(static.depths),
            "best static of the last third": dict(late.depths),
            "built": {plan.name: dict(plan.depths) for plan in first.plans.plans},
        },
        "searches": len(kinds),
        "runs": list(logs),
    }


def _first_part(contest: Contest, run: int) -> list[Episode]:
    """The log of the first sixth: the warm-up policy on the configured plans, with more shadows than usual."""
    policy = WarmupPolicy(contest.configured.plans, run, contest.settings.policy.explore)
    count = len(contest.kinds) // _BUILT_AFTER
    share = min(1.0, _BUILD_SHADOWS / count)
    return served(contest.world, contest.configured, policy, count, run=run, shadow_share=share)


def _built(contest: Contest, log: Sequence[Episode], price: float) -> Library:
    """Complementary plans from what the log knows, of which the first, the best fixed one, is the default."""
    arms = contest.world.recording.arms
    clicks = ShadowedClicks.of(log, arms, DEPTH)
    plans = tuple(built.plan for built in build_plans(clicks, size=_PLANS, cost_per_ms=price, seed=_SEED))
    return Library.of(contest.world, PlanLibrary(plans, plans[0].name, arms))


def _learned(contest: Contest, library: Library, log: Sequence[Episode], price: float, run: int) -> Doubles:
    """[T - log, M] plan probabilities after the log."""
    policy, share = contest.settings.policy, contest.settings.shadow.share
    terms = Terms(policy.min_clicked, policy.explore, policy.gamma, policy.floor, share)
    return learned(contest.world, library, terms, price, run=run, history=log)


def _course(contest: Contest, library: Library, chances: Doubles) -> Course:
    """Of `chances` [n, M] for the last n searches; before them the warm-up policy serves the configured plans."""
    start = len(contest.kinds) - len(chances)
    policy = WarmupPolicy(contest.configured.plans, _SEED, contest.settings.policy.explore)
    before = np.tile(warmup_chances(policy, contest.configured), (start, 1))
    return Course.joined(
        [Course.of_chances(contest.configured, before), Course.of_chances(library, chances, start=start)]
    )


def _favourites(chances: Doubles) -> Doubles:
    """The same policy if it did not explore: always the likeliest plan."""
    certain: Doubles = np.eye(chances.shape[1])[chances.argmax(axis=1)]
    return certain


def _uniform(library: Library) -> Course:
    plans, searches = library.rewards.shape
    return Course.of_chances(library, np.full((searches, plans), 1 / plans))


def _curve(
    contest: Contest, logs: Mapping[int, Sequence[Episode]], everything: Course, say: Callable[[str], None]
) -> list[dict[str, float]]:
    """Price -> what the learned policy earns and costs in the last third, as parts of what all arms at 100 do.

    One run; the library is built anew for every price, from the same log.
    """
    run, log = next(iter(logs.items()))
    points = []
    for times in _PRICES:
        price = times * contest.price
        library = _built(contest, log, price)
        course = _course(contest, library, _learned(contest, library, log, price, run))
        ratios = [
            float(mine[contest.end].mean() / theirs[contest.end].mean())
            for mine, theirs in ((course.reward, everything.reward), (course.ms, everything.ms))
        ]
        points.append({"price": times, "reward_ratio": ratios[0], "cost_ratio": ratios[1]})
        say(f"{times} times the price: {ratios[0]:.3f} of the reward of all arms for {ratios[1]:.3f} of the cost")
    return points


def _cost_ratio(curve: Sequence[Mapping[str, float]], quality: float) -> float | None:
    """The least cost among the points of at least this quality; None without any."""
    return min((point["cost_ratio"] for point in curve if point["reward_ratio"] >= quality), default=None)


def _ratio(course: Course, other: Course, searches: Searches, price: float) -> float:
    return course.summary(searches, price)["net"] / other.summary(searches, price)["net"]


def _static_ratios(
    contest: Contest, coverage: Mapping[int, Course], configured: Mapping[int, Course], courses: Mapping[str, Course]
) -> dict[str, dict[str, float]]:
    """Net reward over that of the best static plan, by policy and stretch, and of every run."""
    whole, end, best = np.arange(len(contest.kinds)), contest.end, courses["best static"]
    late = courses["best static of the last third"]
    ratios = {
        name: {"end": _ratio(course, best, end, contest.price), "whole": _ratio(course, best, whole, contest.price)}
        for name, course in courses.items()
    }
    ratios["coverage"]["end, static chosen for the end"] = _ratio(courses["coverage"], late, end, contest.price)
    for name, runs in (("coverage", coverage), ("coverage, configured plans", configured)):
        for run, course in runs.items():
            ratios[name][f"end, run {run}"] = _ratio(course, best, end, contest.price)
    return ratios


def _summaries(contest: Contest, course: Course) -> dict[str, dict[str, float]]:
    """Of the whole run, of the last third, and of every kind in the last third."""
    parts: dict[str, Searches] = {"whole": np.arange(len(contest.kinds)), "end": contest.end}
    parts |= {kind: contest.end[contest.kinds[contest.end] == n] for n, kind in enumerate(KINDS)}
    return {name: course.summary(searches, contest.price) for name, searches in parts.items()}


def _arms(contest: Contest, courses: Mapping[str, Course]) -> dict[str, dict[str, dict[str, float]]]:
    """Arm -> kind -> how often and deep the learned policy asked it in the last third, and what it earns alone."""
    world, end = contest.world, contest.end
    alone = {arm: world.rewards(Plan(arm, {arm: DEPTH})) for arm in world.recording.arms}
    found: dict[str, dict[str, dict[str, float]]] = {arm: {} for arm in alone}
    for n, kind in enumerate(KINDS):
        searches = end[contest.kinds[end] == n]
        for arm, asked, depth in zip(alone, *courses["coverage"].arms(searches), strict=True):
            found[arm][kind] = {"asked": asked, "depth": depth, "alone": float(alone[arm][searches].mean())}
    return found

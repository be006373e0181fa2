"""The contest on a recorded world with several kinds of query, and what it says about each policy, kind and arm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.settings import Settings, load_settings
from app.wiring.plans import plan_library
from bandit.building.plan_builder import build_plans
from bandit.building.shadowed_pages import ShadowedPages
from bandit.plans import PlanLibrary
from bandit.warmup import WarmupPolicy
from benchmarks.bandit.kinds.courses import Course, Searches, best_of_each_kind, oracle
from benchmarks.bandit.kinds.hindsight import Doubles
from benchmarks.bandit.kinds.learning import Setup, learned, served, warmup_chances
from benchmarks.bandit.kinds.recorded import DEPTH
from benchmarks.bandit.kinds.static_plans import Library, Values, World, best_static, climbed
from benchmarks.bandit.kinds.traffic import KINDS
from core.episodes import Episode
from core.types import Plan

STATED = (
    "rewards are exact expectations over a policy's draws and over clicks; net = reward - price * ms; one recording, "
    "whose memory learned from clicks under all arms; runs differ in query ids and clicks; every policy ranks by "
    "reciprocal rank fusion; 'end' is the last third of the searches; 'coverage' chooses among the configured plans, "
    "'built plans' were built from its log after the first sixth"
)
# A millisecond's price is such that asking all arms for 100 costs this part of what it earns: felt, and not decisive.
_ALL_ARMS_COST = 0.05
_PRICES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # times that price, for the curve of reward over cost
_BUILT_AFTER = 6  # the library is built from the first sixth of the traffic,
_BUILD_SHADOWS = 250  # of which about as many have a shadow: an operator who wants a library soon raises their share
_PLANS = 24
_SEED = 1
_BUILT = "coverage, built plans"


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


@dataclass(frozen=True, slots=True)
class Season:
    """A learned policy by run: its library, and the probability of every plan [n, M] for the last n searches."""

    contest: Contest
    libraries: Mapping[int, Library]
    chances: Mapping[int, Doubles]

    def courses(self) -> dict[int, Course]:
        return {run: _course(self.contest, self.libraries[run], found) for run, found in self.chances.items()}

    def unexplored(self) -> Course:
        """The same policy if it always took its likeliest plan; the mean of the runs."""
        certain = {run: np.eye(found.shape[1])[found.argmax(axis=1)] for run, found in self.chances.items()}
        return Course.mean([_course(self.contest, self.libraries[run], found) for run, found in certain.items()])


def report(world: World, kinds: Sequence[str], *, runs: Iterable[int], say: Callable[[str], None]) -> dict[str, Any]:
    """Everything that was measured; `figures` are those of the whole benchmark."""
    contest = _contest(world, kinds)
    statics = _statics(contest)
    say(f"best static plans: {[dict(plan.depths) for plan in statics.values()]}")
    logs = {run: _first_part(contest, run) for run in runs}
    built, plain = _built_season(contest, logs), _configured_season(contest, logs)
    say("learned")
    courses = {name: Course.of_plan(world, plan) for name, plan in statics.items()}
    courses |= _learned_courses(built, plain) | _hindsight_courses(contest, next(iter(built.libraries.values())))
    curves = _curves(contest, logs, courses["all arms at 100"])
    end = {name: _ratio(contest, course, courses["best static"], contest.end) for name, course in courses.items()}
    return {
        "figures": {
            "real.static_ratio": end["coverage"],
            "real.cost_ratio": _cost_ratio(curves["coverage"], 0.99),
        },
        "figures_of_built_plans": {
            "real.static_ratio": end[_BUILT],
            "real.cost_ratio": _cost_ratio(curves[_BUILT], 0.99),
        },
        "static_ratios": {name: _static_ratios(contest, course, courses) for name, course in courses.items()},
        "static_ratios_of_runs": {
            name: {run: _static_ratios(contest, course, courses)["end"] for run, course in season.courses().items()}
            for name, season in (("coverage", plain), (_BUILT, built))
        },
        "cost_ratio_at_full_quality": _cost_ratio(curves["coverage"], 1.0),
        "price_per_ms": contest.price,
        "curves": curves,
        "policies": {name: _summaries(contest, course) for name, course in courses.items()},
        "arms": _arms(contest, courses["coverage"]),
        "arm_ms": dict(zip(world.recording.arms, world.recording.arm_ms.tolist(), strict=True)),
        "plans": {name: dict(plan.depths) for name, plan in statics.items()},
        "built_plans": {
            run: {plan.name: dict(plan.depths) for plan in library.plans.plans}
            for run, library in built.libraries.items()
        },
        "searches": len(kinds),
        "runs": list(logs),
    }


def _contest(world: World, kinds: Sequence[str]) -> Contest:
    settings = load_settings()
    everything = Course.of_plan(world, _everything(world))
    price = _ALL_ARMS_COST * float(everything.reward.mean() / everything.ms.mean())
    numbers = np.array([KINDS.index(kind) for kind in kinds])
    return Contest(world, numbers, settings, Library.of(world, plan_library(settings)), price)


def _everything(world: World) -> Plan:
    return Plan("everything", dict.fromkeys(world.recording.arms, DEPTH))


def _statics(contest: Contest) -> dict[str, Plan]:
    """The fixed plans to compare with; the best are chosen in hindsight."""
    world, plans = contest.world, contest.configured.plans
    best = best_static(world, contest.price, seed=_SEED)
    return {
        "best static": best,
        "best static of the last third": climbed(world, world.depths(best), Values(world, contest.end, contest.price)),
        "fixed": plans.plan(plans.default),
        "all arms at 100": _everything(world),
    }


def _built_season(contest: Contest, logs: Mapping[int, Sequence[Episode]]) -> Season:
    """Warm-up on the configured plans, then the learned policy on plans built from that log."""
    libraries = {run: _built(contest, log, contest.price) for run, log in logs.items()}
    chances = {run: _learned(contest, libraries[run], log, contest.price, run) for run, log in logs.items()}
    return Season(contest, libraries, chances)


def _configured_season(contest: Contest, runs: Iterable[int]) -> Season:
    """The learned policy on the configured plans, from the first search on."""
    chances = {run: _learned(contest, contest.configured, (), contest.price, run) for run in runs}
    return Season(contest, dict.fromkeys(chances, contest.configured), chances)


def _learned_courses(built: Season, plain: Season) -> dict[str, Course]:
    return {
        "coverage": Course.mean(list(plain.courses().values())),
        "coverage, unexplored": plain.unexplored(),
        _BUILT: Course.mean(list(built.courses().values())),
        f"{_BUILT}, unexplored": built.unexplored(),
    }


def _hindsight_courses(contest: Contest, built: Library) -> dict[str, Course]:
    """A policy that knows nothing, and what those could earn who know everything."""
    plans, searches = contest.configured.rewards.shape
    return {
        "uniform": Course.of_chances(contest.configured, np.full((searches, plans), 1 / plans)),
        "best built plan of each kind": best_of_each_kind(built, contest.kinds, contest.price),
        "best configured plan of each kind": best_of_each_kind(contest.configured, contest.kinds, contest.price),
        "best built plan of each search": oracle(built, contest.price),
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
    pages = ShadowedPages.of(log, arms, DEPTH)
    plans = tuple(built.plan for built in build_plans(pages, size=_PLANS, cost_per_ms=price, seed=_SEED))
    return Library.of(contest.world, PlanLibrary(plans, plans[0].name, arms))


def _learned(contest: Contest, library: Library, log: Sequence[Episode], price: float, run: int) -> Doubles:
    """[T - log, M] plan probabilities after the log."""
    policy, share = contest.settings.policy, contest.settings.shadow.share
    setup = Setup(policy.min_clicked, policy.explore, policy.gamma, policy.floor, share)
    return learned(contest.world, library, setup, price, run=run, history=log)


def _course(contest: Contest, library: Library, chances: Doubles) -> Course:
    """Of `chances` [n, M] for the last n searches; before them the warm-up policy serves the configured plans."""
    start = len(contest.kinds) - len(chances)
    policy = WarmupPolicy(contest.configured.plans, _SEED, contest.settings.policy.explore)
    before = np.tile(warmup_chances(policy, contest.configured), (start, 1))
    return Course.joined(
        [Course.of_chances(contest.configured, before), Course.of_chances(library, chances, start=start)]
    )


def _curve(contest: Contest, everything: Course, at: Callable[[float], Course]) -> list[dict[str, float]]:
    """Price -> what the policy that learns `at` it earns and costs in the last third, as parts of all arms at 100."""
    points = []
    for times in _PRICES:
        course = at(times * contest.price)
        reward, ms = (
            float(mine[contest.end].mean() / theirs[contest.end].mean())
            for mine, theirs in ((course.reward, everything.reward), (course.ms, everything.ms))
        )
        points.append({"price": times, "reward_ratio": reward, "cost_ratio": ms})
    return points


def _curves(contest: Contest, logs: Mapping[int, Sequence[Episode]], everything: Course) -> dict[str, Any]:
    """Of one run. Where plans are built, they are built anew for every price, from the same log."""
    run, log = next(iter(logs.items()))

    def configured(price: float) -> Course:
        return _course(contest, contest.configured, _learned(contest, contest.configured, (), price, run))

    def built(price: float) -> Course:
        library = _built(contest, log, price)
        return _course(contest, library, _learned(contest, library, log, price, run))

    return {name: _curve(contest, everything, at) for name, at in (("coverage", configured), (_BUILT, built))}


def _cost_ratio(curve: Sequence[Mapping[str, float]], quality: float) -> float | None:
    """The least cost among the points of at least this quality; None without any."""
    return min((point["cost_ratio"] for point in curve if point["reward_ratio"] >= quality), default=None)


def _ratio(contest: Contest, course: Course, other: Course, searches: Searches) -> float:
    return course.summary(searches, contest.price)["net"] / other.summary(searches, contest.price)["net"]


def _static_ratios(contest: Contest, course: Course, courses: Mapping[str, Course]) -> dict[str, float]:
    """Net reward over that of the best static plan: in the last third, over all, and beside the best of that third."""
    best, late = courses["best static"], courses["best static of the last third"]
    return {
        "end": _ratio(contest, course, best, contest.end),
        "whole": _ratio(contest, course, best, np.arange(len(contest.kinds))),
        "end, static chosen for the end": _ratio(contest, course, late, contest.end),
    }


def _summaries(contest: Contest, course: Course) -> dict[str, dict[str, float]]:
    """Of the whole run, of the last third, and of every kind in the last third."""
    parts: dict[str, Searches] = {"whole": np.arange(len(contest.kinds)), "end": contest.end}
    parts |= {kind: contest.end[contest.kinds[contest.end] == n] for n, kind in enumerate(KINDS)}
    return {name: course.summary(searches, contest.price) for name, searches in parts.items()}


def _arms(contest: Contest, course: Course) -> dict[str, dict[str, dict[str, float]]]:
    """Arm -> kind -> how often and deep the policy asked it in the last third, and what it earns alone."""
    world, end = contest.world, contest.end
    alone = {arm: world.rewards(Plan(arm, {arm: DEPTH})) for arm in world.recording.arms}
    found: dict[str, dict[str, dict[str, float]]] = {arm: {} for arm in alone}
    for n, kind in enumerate(KINDS):
        searches = end[contest.kinds[end] == n]
        for arm, asked, depth in zip(alone, *course.arms(searches), strict=True):
            found[arm][kind] = {"asked": asked, "depth": depth, "alone": float(alone[arm][searches].mean())}
    return found

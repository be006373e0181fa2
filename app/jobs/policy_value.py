"""What a policy would have earned on the searches of the log."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from app.learning.rollout import POLICY
from app.settings import Settings
from app.wiring.plans import plan_library
from app.wiring.policies import policy_from, warmup
from app.wiring.stores import closed_episodes, open_registry
from bandit.fixed import FixedPolicy
from bandit.misguided import MisguidedPolicy
from bandit.ope import Report, assess, evidence_from
from bandit.ope.plan_rates import plan_rates
from bandit.plans import PlanLibrary
from bandit.uniform import UniformPolicy
from core.episodes import Episode
from core.errors import InvalidInput, NotFound, unknown
from core.protocols import ModelRegistry, Policy, Release

POLICIES = ("release", "warmup", "uniform", "fixed", "misguided")


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """The report on the policy of that version, from the newest `episodes` closed ones."""

    policy: str
    episodes: int
    report: Report


def policy_value(
    settings: Settings, kind: str, *, release: int | None = None, plan: str | None = None, newest: int = 50_000
) -> PolicyValue:
    """Reads the data directory's log and releases; needs no index, and publishes nothing. `kind` is one of POLICIES.

    `release` (the current one if None) is for `release` and `misguided`, `plan` (the default one if None) for `fixed`.
    InvalidInput for an unknown kind; NotFound when there is no such release, or none with a policy.
    """
    policy, library = _policy(settings, kind, release, plan)
    episodes = newest_episodes(settings, newest)
    model = plan_rates(episodes, [each.name for each in library.plans], seed=settings.policy.seed)
    evidence = evidence_from(episodes, policy, model=model, library=library)
    return PolicyValue(policy.version, len(episodes), assess(evidence, seed=settings.policy.seed))


def _policy(settings: Settings, kind: str, release: int | None, plan: str | None) -> tuple[Policy, PlanLibrary]:
    """The policy, and the plans that it draws from."""
    if kind not in POLICIES:
        raise InvalidInput("unknown_policy", unknown("policy", kind, POLICIES), "Name one of these.")
    library, seed = plan_library(settings), settings.policy.seed
    match kind:
        case "fixed":
            return FixedPolicy(library, plan or library.default), library
        case "uniform":
            return UniformPolicy(library, seed), library
        case "warmup":
            return warmup(settings, library), library
    learned, library = policy_from(_released(open_registry(settings), release), seed=seed)
    return (MisguidedPolicy(library, learned, seed=seed) if kind == "misguided" else learned), library


def _released(registry: ModelRegistry, number: int | None) -> bytes:
    release = registry.current() if number is None else _numbered(registry, number)
    model = registry.load(release, POLICY) if release and POLICY in release.components else b""
    if not model:
        what = "There is no release yet." if release is None else f"Release {release.number} has no learned policy."
        remedy = "Until one is learned the warm-up policy serves: ask about --policy warmup, or see `bowerbird doctor`."
        raise NotFound("no_policy", what, remedy)
    return model


def _numbered(registry: ModelRegistry, number: int) -> Release:
    known = {release.number: release for release in registry.releases()}
    if number not in known:
        numbers = ", ".join(map(str, known)) or "none"
        raise NotFound("no_such_release", f"There is no release {number}; there are: {numbers}.", "Name one of these.")
    return known[number]


def newest_episodes(settings: Settings, newest: int) -> list[Episode]:
    """The newest closed ones, oldest first."""
    return list(deque(closed_episodes(settings), maxlen=newest))

"""How a rollout is printed: who serves whom, and what was decided."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

from app.commands.common import print_json, results

if TYPE_CHECKING:
    from app.settings import Settings
    from bandit.rollout import Decision
    from bandit.rollouts.guardrails import Group
    from bandit.rollouts.staged import StagedPolicy


def described(settings: Settings) -> dict[str, Any]:
    """`roles` and `decisions` as plain values; empty where rollout is off."""
    if not settings.rolls_out:
        return {}
    from app.jobs.rollout_operator import standing

    found = standing(settings)
    roles = shares(found.serving)
    if found.rollout.candidate and "candidate" not in {role["role"] for role in roles}:
        roles.append({"role": "candidate", "policy": found.rollout.candidate, "share": 0.0})
    return {"roles": roles, "decisions": [decided(each) for each in found.rollout.decisions]}


def shares(serving: StagedPolicy) -> list[dict[str, Any]]:
    return [{"role": role, "policy": policy.version, "share": share} for role, (policy, share) in serving.parts.items()]


def decided(decision: Decision) -> dict[str, Any]:
    return {**asdict(decision), "time": iso(decision.time)}


def iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")


def print_rollout(rollout: dict[str, Any]) -> None:
    for role in rollout["roles"]:
        share = f"{role['share']:.0%} of the clients" if role["share"] else "at the gate, serves nobody yet"
        results.print(f"{role['role']}: {role['policy']}, {share}")
    table = Table("time", "policy", "what", "why", title="decisions")
    for each in rollout["decisions"]:
        table.add_row(each["time"], each["policy"], each["what"], each["reason"])
    if rollout["decisions"]:
        results.print(table)


def print_groups(groups: dict[str, Group]) -> None:
    columns = ("role", "searches", "clients", "reward", "zero results", "p99 ms")
    table = Table(*columns, title="since the stage began")
    for role, found in groups.items():
        reward = f"{found.reward.value:.4f} ± {found.reward.error:.4f}"
        empty, p99 = f"{found.empty.value:.1%}", f"{found.p99_ms:.0f}"
        table.add_row(role, str(found.searches), str(found.clients), reward, empty, p99)
    results.print(table)


def group_json(found: Group) -> dict[str, Any]:
    """Without `late`, which means something beside another group only; an infinite error is None."""
    plain = asdict(found)
    del plain["late"]
    for name in ("reward", "empty"):
        if found.clients < 2:
            plain[name]["error"] = None
    return plain


def print_decision(decision: Decision, *, as_json: bool) -> None:
    if as_json:
        print_json(decided(decision))
    else:
        results.print(f"{decision.policy}: {decision.what}. {decision.reason}")

"""Whether another process, reading the log in another order, draws the same plans with the same propensities.

`python -m benchmarks.bandit.replay FOLDER SEED` is that process: it prints what it draws.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bandit.coverage.policy import CoveragePolicy
from core.episodes import Impression
from core.types import Features, Query
from feedback.registry import FileRegistry
from feedback.sqlite_store import SqliteEventStore

Asked = tuple[Query, Features]
_ROOT = Path(__file__).parent.parent.parent
_COMPONENT = "policy"


def replayed_otherwise(model: bytes, asked: Sequence[Asked], *, seed: int) -> int:
    """How many of the decisions are drawn otherwise by a process that knows only the log and the stored model."""
    policy = CoveragePolicy.load(model, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), model, policy, asked)
        here, elsewhere = drawn(policy, asked), _elsewhere(Path(folder), seed)
    return sum(elsewhere.get(query) != found for query, found in here.items()) + len(elsewhere.keys() - here.keys())


def drawn(policy: CoveragePolicy, asked: Iterable[Asked]) -> dict[str, list[str]]:
    """Query id -> policy version, plan, its propensity bit by bit, and a digest of all propensities bit by bit."""
    found = {}
    for query, context in asked:
        choice = policy.choose(query, context)
        every = [f"{name} {chance.hex()}" for name, chance in policy.propensities(query, context).items()]
        digest = hashlib.sha256("\n".join(every).encode()).hexdigest()
        found[str(query.id)] = [choice.policy, choice.plan.name, choice.propensity.hex(), digest]
    return found


def _write(folder: Path, model: bytes, policy: CoveragePolicy, asked: Iterable[Asked]) -> None:
    """The log and the release as the service writes them."""
    FileRegistry(folder / "models").publish({_COMPONENT: model})
    store = SqliteEventStore(folder / "events.sqlite")
    for query, context in asked:
        choice = policy.choose(query, context)
        nothing = Features((), np.zeros((0, 0), dtype=np.float32))
        store.append_impression(Impression(query, choice, context, (), nothing, {}, {}, "none", 1, "benchmark"))
    store.close()


def _elsewhere(folder: Path, seed: int) -> Mapping[str, list[str]]:
    """What the other process draws."""
    command = [sys.executable, "-m", "benchmarks.bandit.replay", str(folder), str(seed)]
    told: Mapping[str, list[str]] = json.loads(
        subprocess.run(command, check=True, capture_output=True, cwd=_ROOT).stdout
    )
    return told


def _logged(folder: Path) -> Iterator[Asked]:
    store, after = SqliteEventStore(folder / "events.sqlite"), 0
    while rows := store.impressions(after=after, limit=5_000):
        yield from ((row.impression.query, row.impression.context) for row in rows)
        after = rows[-1].sequence
    store.close()


def main(folder: Path, seed: int) -> None:
    registry = FileRegistry(folder / "models")
    release = registry.current()
    assert release is not None
    policy = CoveragePolicy.load(registry.load(release, _COMPONENT), seed=seed)
    asked = list(_logged(folder))
    order = np.random.default_rng().permutation(len(asked))  # another each time: it must not matter
    print(json.dumps(drawn(policy, (asked[n] for n in order))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

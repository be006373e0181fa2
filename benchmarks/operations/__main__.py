"""What operating the service costs: a changed configuration, memory and disk, a copy and the way back.

`make bench-operations` writes benchmarks/results/operations.json and docs/benchmarks/operations.md. `--only` runs some
sections and keeps what the file has of the others.
"""

from __future__ import annotations

from benchmarks.evidence import Evidence, Section
from benchmarks.operations import reload, restore, soak

_WANTED = {
    "reload.failed": "0",
    "reload.p99_ratio": "2 or less",
    "soak.growth": "0.05 or less",
    "soak.failed": "0",
    "soak.gib_per_million_events": "published",
    "restore.queries": "1,000",
    "restore.differing": "0",
}
_MODULES = {"reload": reload, "soak": soak, "restore": restore}
EVIDENCE = Evidence(
    name="operations",
    title="Operating the service",
    sections={name: Section(module.measure, module.section) for name, module in _MODULES.items()},
    wanted=_WANTED,
)


if __name__ == "__main__":
    EVIDENCE.main(__doc__)

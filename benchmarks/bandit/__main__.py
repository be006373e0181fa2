"""The bandit's evidence: simulated and real worlds, rollouts, off-policy evaluation, exactness, speed.

`make bench-bandit` writes benchmarks/results/bandit.json, pictures beside it, and docs/benchmarks/bandit.md. The data
sets are read from $BOWERBIRD_DATA (default ../shared/data). `--only` runs some sections and keeps what the file has of
the others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from benchmarks.bandit.exactness import exactness
from benchmarks.bandit.kinds.evidence import kinds
from benchmarks.bandit.kinds.heat_map import heat_map
from benchmarks.bandit.kinds.page import page as kinds_page
from benchmarks.bandit.ope_parity import ope_parity
from benchmarks.bandit.open_bandit import open_bandit
from benchmarks.bandit.page import page
from benchmarks.bandit.pictures import courses
from benchmarks.bandit.rollouts import rollouts
from benchmarks.bandit.simulated import simulated
from benchmarks.collections import DATA, ROOT
from benchmarks.loop import commit

_RESULTS, _PAGES = ROOT / "benchmarks" / "results", ROOT / "docs" / "benchmarks"
SECTIONS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "simulated": simulated,
    "rollouts": rollouts,
    "real": kinds,
    "open_bandit": partial(open_bandit, DATA),
    "ope_parity": ope_parity,
    "exactness": exactness,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), help="sections to run")
    options = parser.parse_args()
    target = _RESULTS / "bandit.json"
    sections = json.loads(target.read_text(encoding="utf-8"))["sections"] if target.exists() else {}
    for name in options.only:
        started = time.monotonic()
        found = SECTIONS[name]()
        today = datetime.now(UTC).date().isoformat()
        sections[name] = {**found, "commit": commit(), "date": today, "seconds": round(time.monotonic() - started)}
        print(name, json.dumps(found["figures"], indent=1), file=sys.stderr, flush=True)
    result = {
        "figures": {name: value for section in sections.values() for name, value in section["figures"].items()},
        "sections": {name: sections[name] for name in SECTIONS if name in sections},
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
    }
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if "simulated" in sections:
        courses(sections["simulated"]["curves"], _RESULTS / "bandit-simulated.png")
    if "real" in sections:
        heat_map(sections["real"]["arms"], _RESULTS / "bandit-kinds.png")
        (_PAGES / "kinds.md").write_text(kinds_page(sections["real"]), encoding="utf-8")
    (_PAGES / "bandit.md").write_text(page(result), encoding="utf-8")
    print(json.dumps(result["figures"], indent=1))


if __name__ == "__main__":
    main()

"""The bandit's evidence: simulated and real worlds, rollouts, off-policy evaluation, exactness, speed.

`make bench-bandit` writes benchmarks/results/bandit.json, pictures beside it, and docs/benchmarks/bandit.md. The data
sets are read from $BOWERBIRD_DATA (default ../shared/data). `--only` runs some sections and keeps what the file has of
the others.
"""

from __future__ import annotations

from functools import partial

from benchmarks.bandit import page
from benchmarks.bandit.exactness import exactness
from benchmarks.bandit.kinds.evidence import kinds
from benchmarks.bandit.kinds.heat_map import heat_map
from benchmarks.bandit.kinds.page import page as kinds_page
from benchmarks.bandit.ope_parity import ope_parity
from benchmarks.bandit.open_bandit import open_bandit
from benchmarks.bandit.pictures import courses
from benchmarks.bandit.rollouts import rollouts
from benchmarks.bandit.simulated import simulated
from benchmarks.collections import DATA
from benchmarks.evidence import PAGES, RESULTS, Evidence, Section

_WANTED = {
    "sim.oracle_ratio": "0.94 or more",
    "sim.static_ratio": "1.03 or more",
    "sim.crossover": "1,500 or less",
    "sim.delay_crossover": "5,000 or less",
    "sim.after_break": "0.91 or more",
    "rollout.aa_rate": "0.05 or less",
    "rollout.misguided_promoted": "0",
    "real.static_ratio": "1.03 or more",
    "real.cost_ratio": "0.60 or less",
    "obd.men.rel_error": "reported",
    "obd.women.rel_error": "reported",
    "ope.parity_diff": "0.000001 or less",
    "exact.chi2_p": "not rejected",
    "choose.p50_ms": "0.5 or less",
}
EVIDENCE = Evidence(
    name="bandit",
    title="The bandit's evidence",
    sections={
        "simulated": Section(simulated, page.simulated),
        "rollouts": Section(rollouts, page.rollouts),
        "real": Section(kinds, page.real),
        "open_bandit": Section(partial(open_bandit, DATA), page.open_bandit),
        "ope_parity": Section(ope_parity, page.parity),
        "exactness": Section(exactness, page.exactness),
    },
    wanted=_WANTED,
)


def main() -> None:
    sections = EVIDENCE.main(__doc__)
    if "simulated" in sections:
        courses(sections["simulated"]["curves"], RESULTS / "bandit-simulated.png")
    if "real" in sections:
        heat_map(sections["real"]["arms"], RESULTS / "bandit-kinds.png")
        (PAGES / "kinds.md").write_text(kinds_page(sections["real"]), encoding="utf-8")


if __name__ == "__main__":
    main()

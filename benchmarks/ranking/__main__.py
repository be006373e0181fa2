"""The ranker's evidence: training, where people look, held-out queries, tastes, quality, speed.

`make bench-ranking` writes benchmarks/results/ranking.json and docs/benchmarks/ranking.md. The data sets are read from
$BOWERBIRD_DATA (default ../shared/data). `--only` runs some sections and keeps what the file has of the others.
"""

from __future__ import annotations

from benchmarks.evidence import Evidence, Section
from benchmarks.ranking import examination, heldout, parity, personal, quality, speed

_WANTED = {
    "parity.ndcg_diff": "0.000001 or less",
    "heldout.rrf_ratio": "1.05 or more",
    "heldout.ceiling_ratio": "0.93 or more",
    "heldout.worst_checkpoint_ratio": "1 or more",
    "examination.max_rel_error": "0.10 or less",
    "personal.ratio": "1.10 or more",
    "quality.auc_gain": "above 0",
    "clothing.margin": "above 0",
    "speed.features_ms": "0.5 or less",
    "speed.model_ms": "2 or less",
    "speed.max_diff": "0.000000001 or less",
}
_MODULES = {
    "parity": parity,
    "examination": examination,
    "heldout": heldout,
    "personal": personal,
    "quality": quality,
    "speed": speed,
}
EVIDENCE = Evidence(
    name="ranking",
    title="The ranker's evidence",
    sections={name: Section(module.measure, module.section) for name, module in _MODULES.items()},
    wanted=_WANTED,
)


if __name__ == "__main__":
    EVIDENCE.main(__doc__)

"""What would another policy have earned? Off-policy evaluation of logged searches, and when it cannot be told."""

from __future__ import annotations

from bandit.ope.assessment import Estimate, Report, assess
from bandit.ope.episodes import evidence_from
from bandit.ope.evidence import Evidence, Overlap

__all__ = ["Estimate", "Evidence", "Overlap", "Report", "assess", "evidence_from"]

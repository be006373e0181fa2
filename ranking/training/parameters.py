"""What can be set about the trees, with what serves as default; the search draws from the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from core.errors import InvalidConfig, unknown


@dataclass(frozen=True, slots=True)
class Parameters:
    """Small trees, slow steps and many rows per leaf: a few hundred distinct queries must not be learned by heart.

    `trees` at most; training stops earlier when the later clicks are ordered no better. `truncation` is LightGBM's
    lambdarank_truncation_level. `most_gain`: a gain over its examination counts that much at most.
    `history_dropout` is the weight of copies without the features that recall, beside 1 of the rows as they were.
    `sampled_weight` is that of a candidate from below the page, beside 1 of a shown one. `equal_pages`: 1, every page
    counts alike, as LightGBM has it (lambdarank_norm); 0, by what its clicks say: see ranking.training.rows.
    `anchor`: how far rank fusion sets the items of a page apart at most, the trees being 1: ranking.training.anchor.
    """

    trees: int = 100
    learning_rate: float = 0.05
    num_leaves: int = 15
    min_data_in_leaf: int = 100
    lambda_l2: float = 10.0
    feature_fraction: float = 0.4
    bagging_fraction: float = 0.7
    truncation: int = 20
    most_gain: float = 16.0
    history_dropout: float = 1.0
    sampled_weight: float = 1.0
    equal_pages: int = 0
    anchor: float = 1.0

    @classmethod
    def of(cls, given: Mapping[str, float]) -> Parameters:
        """The defaults, with what is given. InvalidConfig for an unknown name or a value below 0."""
        for name, value in given.items():
            if name not in _WHOLE:
                raise InvalidConfig("unknown_parameter", unknown("parameter", name, _WHOLE), "Correct the name.")
            if not value >= 0 or (_WHOLE[name] and value != int(value)):
                number = "a whole number" if _WHOLE[name] else "a number"
                raise InvalidConfig("bad_parameter", f"{name} = {value!r}.", f"Give {number} from 0.")
        typed: dict[str, Any] = {name: int(value) if _WHOLE[name] else float(value) for name, value in given.items()}
        return replace(cls(), **typed)

    def to_toml(self) -> str:
        """As the section of a configuration."""
        return "\n".join(["[ranking.parameters]", *(f"{name} = {value}" for name, value in asdict(self).items()), ""])

    def lightgbm(self) -> dict[str, Any]:
        """In LightGBM's words."""
        return {
            **_FIXED,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_data_in_leaf,
            "lambda_l2": self.lambda_l2,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "lambdarank_truncation_level": self.truncation,
            "lambdarank_norm": bool(self.equal_pages),
            # LightGBM takes whole labels, and looks up what each is worth.
            "label_gain": [label / GRAIN for label in range(int(self.most_gain * GRAIN) + 1)],
        }


GRAIN = 4  # labels per unit of gain
_FIXED = {
    "objective": "lambdarank",
    "bagging_freq": 1,
    "monotone_constraints_method": "intermediate",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # search has the other cores
    "seed": 1,
    "verbosity": -1,
}
_WHOLE = {field.name: isinstance(field.default, int) for field in fields(Parameters)}

"""Configuration errors say the key, the value, what is allowed and the remedy."""

from pathlib import Path

import pytest

from app.settings import CONFIGS, load_settings
from app.wiring.plans import plan_library
from core.errors import InvalidConfig
from ranking.training.search import read_space, settings_drawn

SPACE = CONFIGS / "ranker-search.toml"


def test_the_shipped_search_space_is_valid() -> None:
    assert len(settings_drawn(read_space(SPACE), 20, base={}, seed=1)) == 20


@pytest.mark.parametrize("path", sorted(set(CONFIGS.glob("*.toml")) - {SPACE}), ids=lambda path: path.name)
def test_the_shipped_files_are_valid(path: Path) -> None:
    plan_library(load_settings(path))


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[policy]\ngama = 1.0", r"'policy\.gama'\. Did you mean 'policy\.gamma'\?"),
        ("[polcy]\nseed = 1", r"'polcy'\. Did you mean 'policy'\?"),
        ("[policy]\nkind = 'best'", r"policy\.kind = 'best'.*'coverage', 'vw_adf', 'uniform', 'fixed' or 'misguided'"),
        ("[policy]\nexplore = 1.5", r"policy\.explore = 1\.5: .*less than or equal to 1"),
        ("[lexical]\nlanguage = 'germn'", r"lexical\.language = 'germn'.*'arabic', .*'german', .*or 'turkish'"),
        (
            "[experiment]\nfirst = 'ranker:rff'",
            r"experiment\.first = 'ranker:rff'.*'policy:fixed', .*or 'ranker:learned'",
        ),
        ("[experiment]\nkind = 'ab'", r"experiment = .*an experiment needs a name"),
        ("[neural]\nweight = 2.0", r"neural\.weight = 2\.0: .*less than or equal to 1"),
        ("[diversity]\nlimit = { brand = 0 }", r"diversity\.limit\.brand = 0: .*greater than or equal to 1"),
        ("[diversity]\nfresh = { released = -1.0 }", r"diversity\.fresh\.released = -1\.0: .*greater than 0"),
        ("[service]\nport = '80'", r"service\.port = '80'"),
        ("[service\n", r"is not TOML"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, toml: str, message: str) -> None:
    (tmp_path / "own.toml").write_text(toml)
    with pytest.raises(InvalidConfig, match=message) as caught:
        load_settings(tmp_path / "own.toml")
    assert caught.value.remedy


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="No such file"):
        load_settings(tmp_path / "none.toml")


def test_a_file_says_only_what_differs_and_changes_the_hash(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[policy]\nseed = 7")
    own, default = load_settings(tmp_path / "own.toml"), load_settings()
    assert own.policy.seed == 7
    assert own.policy.model_copy(update={"seed": default.policy.seed}) == default.policy
    assert own.hash != default.hash == load_settings().hash


def test_own_plans_replace_the_library(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[retrieval]\ndefault_plan = 'a'\nplans = { a = { lexical = 10 } }")
    assert list(load_settings(tmp_path / "own.toml").retrieval.plans) == ["a"]


def test_what_is_lately_is_shorter_than_what_is_usual() -> None:
    with pytest.raises(InvalidConfig, match="trend_half_life_days must be less than half_life_days"):
        load_settings(overrides={"popularity": {"trend_half_life_days": 7.0}})


@pytest.mark.parametrize(
    ("kind", "second", "learns"),
    [("none", "policy:coverage", False), ("ab", "ranker:rrf", False), ("ab", "policy:coverage", True)],
)
def test_a_policy_that_is_tried_is_learned(kind: str, second: str, learns: bool) -> None:
    tried = {"kind": kind, "name": "try", "second": second}
    assert load_settings(overrides={"policy": {"kind": "fixed"}, "experiment": tried}).learns_policy is learns
    for learned in ("coverage", "misguided"):
        assert load_settings(overrides={"policy": {"kind": learned}, "experiment": tried}).learns_policy


def test_two_policies_do_not_learn_at_once() -> None:
    tried = {"kind": "ab", "name": "try", "second": "policy:coverage"}
    with pytest.raises(InvalidConfig, match="one policy learns at a time"):
        load_settings(overrides={"policy": {"kind": "vw_adf"}, "experiment": tried})

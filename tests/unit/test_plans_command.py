"""bowerbird policy plans build: from the log to a configuration that can be served."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
from builders import click, impression, shadow
from typer.testing import CliRunner, Result

from app.cli import app
from app.settings import load_settings
from app.wiring.plans import ARMS, plan_library
from app.wiring.stores import open_store
from core.errors import InvalidInput


def log(folder: Path, searches: int) -> None:
    """Clicked searches whose item is at random ranks in every arm."""
    random = np.random.default_rng(1)
    with closing(open_store(load_settings(), folder)) as store:
        for n in range(searches):
            store.append_impression(impression(f"q{n}", shown=("a",)))
            store.append_shadow(shadow(f"q{n}", ranks={arm: (int(random.integers(0, 101)),) for arm in ARMS}))
            store.append_feedback([click(f"q{n}")])


def build(folder: Path, *arguments: str) -> Result:
    command = ["--data-dir", str(folder), "policy", "plans", "build", "--out", str(folder / "plans.toml"), *arguments]
    return CliRunner().invoke(app, command)


def test_what_is_built_is_read_back_as_a_library(tmp_path: Path) -> None:
    log(tmp_path, 120)
    report = json.loads(build(tmp_path, "--json", "--size", "32").stdout)
    library = plan_library(load_settings(tmp_path / "plans.toml"))
    assert library.default == "best"
    assert [[plan.name, plan.depths] for plan in library.plans] == [[p["name"], p["depths"]] for p in report["plans"]]
    assert len(library.plans) == 32
    assert report["clicks"] == 120
    best = report["plans"][0]
    assert (
        f"# reward {best['reward']:.3f}, coverage {best['coverage']:.3f}, {best['cost_ms']:.2f} ms"
        in (tmp_path / "plans.toml").read_text()
    )


def test_too_few_clicks_are_explained_and_nothing_is_written(tmp_path: Path) -> None:
    log(tmp_path, 3)
    refused = build(tmp_path).exception
    assert isinstance(refused, InvalidInput)
    assert "There are 3 clicked items" in refused.message
    assert not (tmp_path / "plans.toml").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    log(tmp_path, 100)
    assert build(tmp_path, "--out", str(tmp_path / "new" / "plans.toml")).exit_code == 0
    (tmp_path / "file").touch()
    refused = build(tmp_path, "--out", str(tmp_path / "file" / "plans.toml")).exception
    assert isinstance(refused, InvalidInput)
    assert "file/plans.toml: File exists" in refused.message
    assert "it is a folder" in str(build(tmp_path, "--out", str(tmp_path)).exception)

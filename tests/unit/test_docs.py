"""The docs name everything that can be called or configured, and link to what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from typer.testing import CliRunner

from app.cli import app as cli
from app.routes import RESOURCES
from app.settings import Settings
from app.wiring.plans import ARMS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def headings(path: Path) -> set[str]:
    return set(re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_configuration_key() -> None:
    keys = {
        f"{section}.{key}"
        for section, field in Settings.model_fields.items()
        for key in field.annotation.model_fields  # type: ignore[union-attr]
    }
    assert headings(DOCS / "reference" / "configuration.md") == keys


def test_every_route() -> None:
    routes = {
        f"{method} {route.path.replace(':path', '')}"
        for resource in RESOURCES
        for route in resource.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert headings(DOCS / "reference" / "http.md") == routes


def test_every_verb() -> None:
    verbs = {command.name or command.callback.__name__ for command in cli.registered_commands if command.callback}
    verbs |= {str(group.name) for group in cli.registered_groups}
    assert headings(DOCS / "reference" / "cli.md") == verbs


def test_the_page_of_features_is_the_one_that_is_made() -> None:
    made = CliRunner().invoke(cli, ["features", "--markdown"])
    assert made.stdout == (DOCS / "reference" / "features.md").read_text(encoding="utf-8")


def test_every_room() -> None:
    named = {heading.split(":")[0] for heading in headings(DOCS / "ARCHITECTURE.md")}
    rooms = {p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file()} | {"clients", "configs", "tests"}
    assert named == rooms


def test_every_arm_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [arm for arm in ARMS if f"**{arm}**" not in readme] == []


@pytest.mark.parametrize("page", sorted([*DOCS.rglob("*.md"), ROOT / "README.md"]), ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []

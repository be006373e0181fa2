"""What every verb shares: the configuration it was called with, and how it prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EISDIR
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.settings import Settings, load_settings
from core.errors import InvalidInput

if TYPE_CHECKING:
    from app.service import Service

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
_DRAWN = (".png", ".svg", ".pdf")
# Progress and remarks go to stderr, results to stdout, so that results can be piped.
# What is printed comes from catalogues and files: `[love]` is no markup in it, nor `:heart:` a picture.
remarks = Console(stderr=True, markup=False, emoji=False)
results = Console(markup=False, emoji=False)


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options before the verb."""

    config: Path | None
    data_dir: Path | None
    verbose: bool = False

    def settings(self, overrides: dict[str, Any] | None = None) -> Settings:
        layers = dict(overrides or {})
        if self.data_dir is not None:
            layers["service"] = {**layers.get("service", {}), "data_dir": str(self.data_dir)}
        return load_settings(self.config, overrides=layers)

    def arguments(self) -> list[str]:
        """The same options for a child process."""
        config = ["--config", str(self.config)] if self.config else []
        data_dir = ["--data-dir", str(self.data_dir)] if self.data_dir else []
        return [*config, *data_dir, *(["--verbose"] if self.verbose else [])]


def invocation(context: typer.Context) -> Invocation:
    found = context.find_root().obj
    assert isinstance(found, Invocation)
    return found


def print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())


def _drawable(path: Path | None) -> Path | None:
    """Looked at before the work: a picture is what it ends with."""
    if path and path.suffix.lower() not in _DRAWN:
        raise typer.BadParameter(f"{path} cannot be drawn; name a file that ends in {', '.join(_DRAWN)}.")
    if path:
        make_folder(path)
    return path


DRAWN = typer.Option("--png", help="Where to draw it.", callback=_drawable)
Picture = Annotated[Path | None, DRAWN]


def make_folder(out: Path) -> None:
    """For what is written at the end of something long. InvalidInput when it cannot be."""
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder")


def write(out: Path, text: str) -> None:
    """InvalidInput when it cannot be."""
    with _writing(out):
        out.write_text(text, encoding="utf-8")


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"Cannot write {out}: {error.strerror}."
        raise InvalidInput("not_written", message, "Name another file.") from None


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Any]:
    """A bar on stderr; yields `advance(n)`."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=remarks) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n: bar.advance(task, n)


@contextmanager
def started_service(context: typer.Context) -> Iterator[Service]:
    """A service in this process, ready to answer, closed at the end."""
    from app.wiring.service import build_service  # here, because --help must not import the engines

    service = build_service(invocation(context).settings())
    try:
        with progress_bar("indexing", None) as advance:
            service.start(advance)
        yield service
    finally:
        service.close()

"""Tables and blocks of the pages that benchmarks write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Cell = str | float


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    def line(cells: Sequence[Cell]) -> str:
        return "| " + " | ".join(cell if isinstance(cell, str) else f"{cell:.3f}" for cell in cells) + " |"

    return [line(head), "|---|" + "---|" * (len(head) - 1), *map(line, rows)]


def replace_block(path: Path, name: str, lines: Sequence[str]) -> None:
    """Put the lines between `<!-- name -->` and `<!-- /name -->`; ValueError when the page has no such block."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(f"<!-- {name} -->\n")
    _, _, after = rest.partition(f"<!-- /{name} -->\n")
    if not rest or f"<!-- /{name} -->\n" not in rest:
        raise ValueError(f"{path} has no block <!-- {name} --> ... <!-- /{name} -->; add it where the table belongs")
    block = "\n".join([f"<!-- {name} -->", *lines, f"<!-- /{name} -->"])
    path.write_text(f"{before}{block}\n{after}", encoding="utf-8")

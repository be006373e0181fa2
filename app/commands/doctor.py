"""bowerbird doctor: what each part has, and what it still needs to learn, in words."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.text import Text

from app.commands.common import Json, invocation, print_json, results

_COLOURS = {"ok": "green", "waits": "yellow", "broken": "red"}


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check configuration, catalogue, events and models, and say what is missing for each part to learn.

    Exit code 1 when something is broken; waiting for data is not broken.
    """
    from app.operating.diagnosis import diagnose

    findings = diagnose(invocation(context).settings())
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            state = Text(f"{finding.state:4}", _COLOURS[finding.state])
            results.print(Text.assemble(state, " ", (finding.part, "bold"), ": ", finding.message), highlight=False)
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(1)

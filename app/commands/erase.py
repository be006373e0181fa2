"""bowerbird erase: forget a user."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.common import Json, invocation, print_json, results


def erase(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="The id as it was sent: of a user, or of a client without one.")],
    as_json: Json = False,
) -> None:
    """Remove a user's searches and feedback, and what was learned from them; the learner starts again from the log.

    May run beside the service. Earlier releases are removed too.
    """
    from app.operating.erasure import erase_user

    removed = erase_user(invocation(context).settings(), user)
    if as_json:
        print_json({"removed": removed})
        return
    results.print(f"{removed} rows removed. The next pass of the learner starts again from the log.")

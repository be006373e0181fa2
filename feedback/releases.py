"""What every registry says of a release that lacks something, or whose bytes are not what was published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from core.errors import CorruptModel, NotFound
from core.protocols import Release


def digest_of(release: Release, component: str) -> str:
    """NotFound names the components there are."""
    digest = release.components.get(component)
    if digest is None:
        raise NotFound(
            "no_such_component",
            f"Release {release.number} has no component {component!r}.",
            f"It has: {', '.join(sorted(release.components))}.",
        )
    return digest


def whole(data: bytes, release: Release, component: str) -> bytes:
    """The data, if it is that component. CorruptModel otherwise."""
    if hashlib.sha256(data).hexdigest() != digest_of(release, component):
        raise CorruptModel(
            "corrupt_model",
            f"Component {component!r} of release {release.number} is missing or damaged.",
            "Go back with `bowerbird policy rollback`, or let the learner publish a new release.",
        )
    return data


def no_such_release(number: int, known: Iterable[int]) -> NotFound:
    return NotFound(
        "no_such_release",
        f"There is no release {number}.",
        f"There are: {', '.join(map(str, known)) or 'none'}.",
    )

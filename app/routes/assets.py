"""GET /assets/bowerbird.js: what web pages load to tell what people see and click."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from fastapi import APIRouter, Request, Response

router = APIRouter(tags=["feedback"])
_SCRIPT = files("app").joinpath("assets", "bowerbird.js").read_bytes()
_HEADERS = {
    "etag": f'"{hashlib.sha256(_SCRIPT).hexdigest()[:32]}"',
    "cache-control": "public, max-age=3600",
    # A shop's page is of another origin than the service. There is nothing in the script that is not public.
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}


@router.get(
    "/assets/bowerbird.js",
    response_class=Response,
    responses={200: {"content": {"text/javascript": {}}}, 304: {"description": "The ETag is the one that was sent."}},
)
def bowerbird_script(request: Request) -> Response:
    """The browser script. It needs no key, and the service need not be ready."""
    if _HEADERS["etag"] in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=_HEADERS)
    return Response(_SCRIPT, headers=_HEADERS, media_type="text/javascript")


def _tags(if_none_match: str) -> set[str]:
    """Compared weakly (RFC 9110, 13.1.2): a proxy that compresses the script marks its tag as weak."""
    return {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}

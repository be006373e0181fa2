"""The studio's pages and files. A page holds no data: its module reads the HTTP API, with the reader's key if need be.

The content security policy allows this server's own files and nothing else: no other host, nothing inline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from app.routes.dependencies import Configured
from core.errors import NotFound, unknown

_ROOM = Path(__file__).parent
_STATIC = _ROOM / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is that of its template, its module and its heading; `charts` loads the charting library."""

    name: str
    path: str
    charts: bool = False

    @property
    def title(self) -> str:
        return self.name.capitalize()


PAGES = (
    Page("search", "/"),
    Page("learning", "/studio/learning", charts=True),
    Page("memory", "/studio/memory", charts=True),
    Page("events", "/studio/events"),
    Page("quality", "/studio/quality"),
    Page("health", "/studio/health"),
)


def _read() -> Mapping[str, bytes]:
    found = (path for path in sorted(_STATIC.rglob("*")) if path.suffix in _TYPES)
    return {path.relative_to(_STATIC).as_posix(): path.read_bytes() for path in found}


_files = _read()
# A part of every address: browsers may keep files for long, and have the new ones at once after an upgrade. All modules
# share it, because they import one another by relative addresses.
_version = hashlib.sha256(b"".join(_files.values())).hexdigest()[:12]
_templates = Environment(
    loader=FileSystemLoader(_ROOM / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
)
router = APIRouter(include_in_schema=False)


def _route(page: Page) -> None:
    template = _templates.get_template(f"{page.name}.html")

    def show(settings: Configured) -> Response:
        notice = settings.studio.notice
        body = template.render(page=page, pages=PAGES, static=f"/studio/static/{_version}", notice=notice)
        return HTMLResponse(body, headers={**HEADERS, "Cache-Control": "no-cache"})

    router.get(page.path, name=f"studio_{page.name}")(show)


for _page in PAGES:
    _route(_page)


@router.get("/studio/static/{version}/{name:path}")
def static(version: str, name: str) -> Response:
    """A file of the studio. Addresses of an earlier version give the file as it is now, and are not kept."""
    if name not in _files:
        raise NotFound("no_such_file", unknown("file", name, _files), "Load the page again.")
    kept = f"public, max-age={_DAY_S}, immutable" if version == _version else "no-cache"
    return Response(_files[name], media_type=_TYPES[Path(name).suffix], headers={**HEADERS, "Cache-Control": kept})

"""Fetches the studio's libraries by npm, at the versions and hashes in vendor.json: `make vendor`. Their files are
committed; nobody who uses or tests the studio needs npm."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from core.errors import InvalidInput

_ROOM = Path(__file__).parent
WANTED: dict[str, Any] = json.loads((_ROOM / "vendor.json").read_text(encoding="utf-8"))
FOLDER = _ROOM / "static" / "vendor"


def fetch(name: str) -> None:
    """Writes the library's files; InvalidInput when the registry has something else than was pinned."""
    wanted = WANTED[name]
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{name}@{wanted['version']}", "--pack-destination", folder]
        subprocess.run(command, check=True, cwd=folder)
        (package,) = Path(folder).glob("*.tgz")
        digest = "sha512-" + base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if digest != wanted["integrity"]:
            message = f"{name} {wanted['version']} has the hash {digest}; {wanted['integrity']} was pinned."
            raise InvalidInput("other_package", message, "Find out why before you change vendor.json.")
        with tarfile.open(package) as archive:
            for source, target in wanted["files"].items():
                content = archive.extractfile(source)
                assert content is not None, source
                path = FOLDER / name / target
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


if __name__ == "__main__":
    for each in WANTED:
        fetch(each)

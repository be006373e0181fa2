"""API keys: who may do what, and how often. At rest there are hashes only; a token is seen once, by who made it."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from app.web.private_file import locked, replace_private
from core.errors import InvalidConfig, InvalidInput, NotFound, unknown

log = logging.getLogger(__name__)

Scope = Literal["search", "events", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_PREFIX = "bb"
_SECRET_BYTES = 32
_NOBODY = "0" * 64  # the hash that an unknown key's token is compared with


@dataclass(frozen=True, slots=True)
class Key:
    """`hash` is the SHA-256 of the token in hex: a token is 256 random bits, so there is nothing to guess slowly.

    `rate` requests a second and a `burst` of them; None: as configured under [limits]. `created` in seconds.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    hash: str
    created: float
    rate: float | None = None
    burst: int | None = None


class Keys:
    """A file of keys, readable by its owner alone, replaced atomically, and read again when it has changed."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "keys.json"
        self._stamp: tuple[int, int, int] | None = None
        self._known: Mapping[str, Key] | None = None

    def read(self) -> Mapping[str, Key] | None:
        """By id; None when there is no file. A file that cannot be read any more leaves the last ones in force.

        InvalidConfig when it could not be read from the start.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp = self._known = None
            return None
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp != self._stamp:
            try:
                self._known = _decode(self._path.read_bytes())
            except (OSError, ValueError, TypeError, KeyError) as error:
                if self._known is None:
                    raise InvalidConfig(
                        "keys_unreadable", f"{self._path} cannot be read: {error}.", "Restore it, or make new keys."
                    ) from None
                log.exception("%s cannot be read; the keys of before stay in force", self._path)
            self._stamp = stamp
        return self._known

    def find(self, token: str) -> Key | None:
        """The key of a token. Takes as long for a wrong one as for a right one."""
        known = self.read() or {}
        key = known.get(token.split("_")[1]) if token.count("_") == 2 else None
        same = hmac.compare_digest(_hash(token), key.hash if key else _NOBODY)
        return key if same else None

    def create(
        self, scopes: Collection[str], *, name: str = "", rate: float | None = None, burst: int | None = None
    ) -> tuple[Key, str]:
        """A new key and its token, which nobody can find out later. InvalidInput names a scope that there is not."""
        if odd := [scope for scope in scopes if scope not in SCOPES]:
            raise InvalidInput("unknown_scope", unknown("scope", odd[0], SCOPES), "Give --scope one of these.")
        if not scopes:
            raise InvalidInput("no_scope", "A key without a scope opens nothing.", f"Scopes: {', '.join(SCOPES)}.")
        key_id = secrets.token_hex(4)
        token = f"{_PREFIX}_{key_id}_{secrets.token_hex(_SECRET_BYTES)}"
        own = tuple(scope for scope in SCOPES if scope in scopes)
        key = Key(key_id, name, own, _hash(token), time.time(), rate, burst)
        with locked(self._path):
            self._write({**(self.read() or {}), key_id: key})
        return key, token

    def revoke(self, key_id: str) -> Key:
        """NotFound lists the ids there are. The file stays when the last key goes: then nobody is let in."""
        with locked(self._path):
            known = dict(self.read() or {})
            if key_id not in known:
                there = ", ".join(known) or "none"
                raise NotFound(
                    "no_such_key", f"There is no key {key_id!r}.", f"Ids: {there}; see `bowerbird keys list`."
                )
            gone = known.pop(key_id)
            self._write(known)
        return gone

    def _write(self, keys: Mapping[str, Key]) -> None:
        rows = [asdict(key) for key in keys.values()]
        replace_private(self._path, json.dumps({"keys": rows}, indent=1).encode())


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address or name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_bind(host: str, keys: Keys) -> None:
    """InvalidConfig when the service would be open to other machines without any key."""
    known = keys.read()
    if not is_loopback(host) and not known:
        raise InvalidConfig(
            "no_keys",
            f"The service would listen on {host!r}, which other machines can reach, and there is no API key.",
            "Make one with `bowerbird keys create --scope search --scope events --scope admin`, or set service.host to"
            " 127.0.0.1.",
        )


def _decode(data: bytes) -> Mapping[str, Key]:
    rows = json.loads(data)["keys"]
    return {row["id"]: Key(**{**row, "scopes": tuple(row["scopes"])}) for row in rows}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()

"""User ids as they are stored: keyed hashes, so that the log alone does not tell who searched for what."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from app.web.private_file import locked, replace_private

_SECRET_BYTES = 32
_DIGITS = 32  # hex, 128 bits: two of a billion users meet with a probability of 1e-21
PREFIX = "u:"


class UserIds:
    """HMAC-SHA-256 under a secret of the data directory, made at the first start and readable by its owner alone.

    Who loses the secret keeps the log, but no user is recognised in it any more.
    """

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / "user-ids.secret"
        if not path.exists():
            _make(path)
        self._secret = path.read_bytes()

    def hashed(self, user_id: str | None) -> str | None:
        """The same for the same user, and nothing that leads back to the id without the secret."""
        if user_id is None:
            return None
        digest = hmac.new(self._secret, user_id.encode(), hashlib.sha256).hexdigest()
        return PREFIX + digest[:_DIGITS]


def _make(path: Path) -> None:
    with locked(path):
        if not path.exists():  # another process may have made it
            replace_private(path, secrets.token_bytes(_SECRET_BYTES))

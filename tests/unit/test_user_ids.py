"""User ids: always the same hash, another under another secret, and none without it."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

from app.web.user_ids import UserIds


def test_the_hash_is_hmac_sha256_under_a_secret_of_the_owner_alone(tmp_path: Path) -> None:
    users = UserIds(tmp_path)
    secret = tmp_path / "user-ids.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_bytes()) == 32
    expected = hmac.new(secret.read_bytes(), b"ann@example", hashlib.sha256).hexdigest()[:32]
    assert users.hashed("ann@example") == f"u:{expected}"
    assert users.hashed(None) is None


def test_a_restart_recognises_users_and_another_installation_does_not(tmp_path: Path) -> None:
    here = UserIds(tmp_path / "here").hashed("ann")
    assert UserIds(tmp_path / "here").hashed("ann") == here
    assert UserIds(tmp_path / "here").hashed("bob") != here
    assert UserIds(tmp_path / "there").hashed("ann") != here

"""API keys: what is at rest, how they are told apart, how they change while somebody reads them."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from app.web.keys import Keys, check_bind, is_loopback
from app.web.throttle import Throttle
from core.errors import InvalidConfig, InvalidInput, NotFound


def test_a_token_opens_its_key_and_nothing_else_does(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    first, token = keys.create(["search"])
    second, other = keys.create(["events", "admin"])
    assert keys.find(token) == first
    assert keys.find(other) == second
    tampered = [token[:-1] + ("0" if token[-1] != "0" else "1"), token.replace(first.id, second.id), f"bb_{first.id}_"]
    assert [keys.find(wrong) for wrong in ["", "x", "__", token + "0", "ü_ü_ü", "a_b_c", *tampered]] == [None] * 9


def test_only_a_hash_is_at_rest_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    key, token = Keys(tmp_path).create(["search"])
    path = tmp_path / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.hash == hashlib.sha256(token.encode()).hexdigest()
    secret = token.rsplit("_", 1)[1]
    assert len(bytes.fromhex(secret)) * 8 == 256
    assert [file for file in tmp_path.iterdir() if secret.encode() in file.read_bytes()] == []


def test_another_process_sees_what_was_made_and_revoked(tmp_path: Path) -> None:
    reader = Keys(tmp_path)
    assert reader.read() is None
    key, token = Keys(tmp_path).create(["search"])
    assert reader.find(token) == key
    Keys(tmp_path).revoke(key.id)
    assert reader.find(token) is None
    assert reader.read() == {}  # not None: without its last key a service stays shut


def test_a_broken_file_leaves_the_last_keys_in_force_and_stops_a_start(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    key, token = keys.create(["search"])
    assert keys.find(token) == key
    (tmp_path / "keys.json").write_text("{")
    assert keys.find(token) == key
    with pytest.raises(InvalidConfig, match=r"keys\.json cannot be read"):
        check_bind("127.0.0.1", Keys(tmp_path))


def test_mistakes_are_told(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    with pytest.raises(InvalidInput, match=r"'serach'. Did you mean 'search'\? Allowed: admin, events, search"):
        keys.create(["serach"])
    with pytest.raises(InvalidInput, match="opens nothing"):
        keys.create([])
    key, _ = keys.create(["search"])
    with pytest.raises(NotFound, match=key.id):
        keys.revoke("another")


def test_without_a_key_loopback_only(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        check_bind(host, keys)
    for host in ("0.0.0.0", "::", "", "192.168.1.4", "shop.example", "127.0.0.1.example"):
        with pytest.raises(InvalidConfig, match="bowerbird keys create"):
            check_bind(host, keys)
    key, _ = keys.create(["search"])
    check_bind("0.0.0.0", keys)
    keys.revoke(key.id)
    with pytest.raises(InvalidConfig, match="no API key"):
        check_bind("0.0.0.0", keys)
    assert not is_loopback("localhost.example")


def test_a_bucket_gives_its_burst_then_its_rate_and_is_nobody_elses() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])

    def waits(key: str) -> float:
        return throttle.wait(key, rate=2.0, burst=3)

    assert [waits("a") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert waits("b") == 0
    now[0] = 0.5
    assert [waits("a"), waits("a")] == [0, 0.5]
    now[0] = 1_000.0
    assert [waits("a") for _ in range(4)] == [0, 0, 0, 0.5]

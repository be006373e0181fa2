"""Randomness is a function of (seed, purpose, id): a replay draws the same numbers whatever the order of arrival."""

from __future__ import annotations

import hashlib

import numpy as np


def _digest(seed: int, purpose: str, key: str) -> bytes:
    return hashlib.blake2b(f"{seed}\x1f{purpose}\x1f{key}".encode(), digest_size=8).digest()


def uniform(seed: int, purpose: str, key: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return int.from_bytes(_digest(seed, purpose, key), "big") / 2**64


def generator(seed: int, purpose: str, key: str = "") -> np.random.Generator:
    """A numpy generator that depends on nothing but its arguments."""
    return np.random.default_rng(int.from_bytes(_digest(seed, purpose, key), "big"))

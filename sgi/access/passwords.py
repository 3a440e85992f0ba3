"""Password hashes: argon2id, one at a time a core, never in the event loop."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MAX_LENGTH = 512
"""Longest password taken, in characters: hashing is work that a stranger can ask for."""

_hasher = PasswordHasher()  # argon2id, RFC 9106's low-memory profile
_at_once = asyncio.Semaphore(2)
# Checked when the name is unknown, so that both answers take the same time.
_DECOY = _hasher.hash(secrets.token_hex())


def hash_password(password: str) -> str:
    """The argon2id hash, with its parameters and salt."""
    return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """True when the password is the one that was hashed."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def check(password_hash: str | None, password: str) -> bool:
    """`matches` off the event loop; None (no such account) takes as long and is never right."""
    if len(password) > MAX_LENGTH:
        return False
    async with _at_once:
        right = await asyncio.to_thread(matches, password_hash or _DECOY, password)
    return right and password_hash is not None

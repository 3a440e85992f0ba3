"""Which keys are allowed: those that are safe as an S3 key, a URL path and a file path alike."""

import re

from storage.errors import InvalidKeyError

MAX_KEY_LENGTH = 1024
"""Characters; the limit of S3."""

# A segment never starts with a dot: that rules out `.` and `..`, and leaves hidden names to stores.
_SEGMENT = r"[A-Za-z0-9_+=@,-][A-Za-z0-9._+=@,-]{0,199}"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_SHOWN_CHARACTERS = 80


def require_key(key: str) -> str:
    """The key itself.

    Raises:
        InvalidKeyError: it is empty, too long, or has a character or a segment that is not allowed.
    """
    if len(key) > MAX_KEY_LENGTH or not _KEY.fullmatch(key):
        raise InvalidKeyError(f"The key {_shown(key)} is not allowed: use a-z, 0-9, ._+=@,- and /.")
    return key


def require_prefix(prefix: str) -> str:
    """The prefix itself: empty for everything, or a key followed by `/`.

    Whole segments only, because a directory and some S3 clients cannot do otherwise.

    Raises:
        InvalidKeyError: it is neither.
    """
    if prefix and not prefix.endswith("/"):
        raise InvalidKeyError(f"The prefix {_shown(prefix)} must end with a slash.")
    if prefix:
        require_key(prefix[:-1])
    return prefix


def _shown(key: str) -> str:
    """Cut and escaped: whoever sends a hostile key shall not write our logs."""
    return ascii(key[:_SHOWN_CHARACTERS])

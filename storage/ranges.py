"""The words every store uses when a range or a whole object cannot be answered."""

from storage.errors import ObjectNotFoundError, ObjectTooLargeError, RangeError


def require_range(key: str, offset: int, length: int) -> None:
    """Raises `RangeError` for a negative offset or length."""
    if offset < 0 or length < 0:
        raise RangeError(f"The range of {length} bytes at {offset} of {key} is negative.")


def require_length(key: str, offset: int, length: int, data: bytes) -> bytes:
    """The data itself; raises `RangeError` when the object ended before the range did."""
    if len(data) != length:
        raise past_the_end(key, offset, length)
    return data


def require_limit(key: str, size_bytes: int, limit_bytes: int) -> None:
    """Raises `ObjectTooLargeError` when the object would not fit the caller's limit."""
    if size_bytes > limit_bytes:
        raise ObjectTooLargeError(
            f"The object {key} has {size_bytes} bytes, more than the {limit_bytes} accepted here."
        )


def past_the_end(key: str, offset: int, length: int) -> RangeError:
    """The error for a range that reaches past the last byte."""
    return RangeError(f"The object {key} ends before byte {offset + length}.")


def not_found(key: str) -> ObjectNotFoundError:
    """The error for a key that has no object."""
    return ObjectNotFoundError(f"There is no object {key}.")

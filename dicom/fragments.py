"""Where frames begin when nothing but their own bytes tells, and where they end."""

FRAME_MARK_BYTES = 8
_BEGINNINGS = (
    b"\xff\xd8\xff",  # JPEG and JPEG-LS: SOI and the next marker
    b"\xff\x4f\xff\x51",  # JPEG 2000: SOC and SIZ
    b"\xff\x0a",  # JPEG XL, a bare codestream
    b"\x00\x00\x00\x0cJXL ",  # JPEG XL in boxes
)
_END = b"\xff\xd9"
_LONGEST_PADDING = 8
TAIL_BYTES = _LONGEST_PADDING + len(_END)


def begins_frame(data: bytes) -> bool:
    """Whether a fragment whose first `FRAME_MARK_BYTES` are given begins a compressed image."""
    return data.startswith(_BEGINNINGS)


def padding_after(tail: bytes) -> int:
    """Bytes after the end marker in the last `TAIL_BYTES` of a fragment of JPEG or JPEG 2000.

    One byte makes a fragment even (PS3.5 A.4); some writers add more. 0 where no end is seen.
    """
    whole = tail.rstrip(b"\0")
    return len(tail) - len(whole) if whole.endswith(_END) else 0

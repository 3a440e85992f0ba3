"""What goes between the server and a process that unpacks frames.

The job goes out as a pickle, which the process may trust: the server made it. What comes back is
never taken for more than bytes, since a hostile frame may have taken the process over: a letter for
how it ended, the processor time in seconds, a length, and so many bytes.
"""

import json
import struct
from enum import Enum

import dicom.errors
import tiling.errors
from dicom.errors import DicomError
from sgi.errors import InvalidRequestError, NotFoundError, UnshowableError
from tiling.errors import TilingError

JOB = struct.Struct(">Q")
"""Before a job: its length."""
ANSWER = struct.Struct(">cdQ")
MOST_BYTES = 256 << 20
"""Of an answer: the largest picture unpacked."""
_LONGEST_SENTENCE = 500


class Answer(Enum):
    """How a job ended."""

    MADE = b"M"
    """The bytes that the function gave."""
    FAILED = b"F"
    """JSON: the names of the error's class and of those above it, and its sentence."""


def encode_answer(answer: Answer, cpu_s: float, payload: bytes) -> bytes:
    """An answer as bytes."""
    return ANSWER.pack(answer.value, cpu_s, len(payload)) + payload


def parse_head(head: bytes) -> tuple[Answer, float, int]:
    """Kind, seconds and length of an answer; raises ValueError for what is none."""
    letter, cpu_s, length = ANSWER.unpack(head)
    if length > MOST_BYTES or not 0 <= cpu_s < float("inf"):
        raise ValueError("the answer is too long")
    return Answer(letter), cpu_s, length


def encode_error(error: Exception) -> bytes:
    """What is told of an error."""
    names = [kind.__name__ for kind in type(error).__mro__]
    sentence = str(error).encode(errors="replace").decode()[:_LONGEST_SENTENCE]
    return json.dumps({"errors": names, "sentence": sentence}).encode()


def parse_error(told: bytes) -> Exception:
    """One of our own errors about a frame; for every other, UnshowableError."""
    try:
        said = json.loads(told)
        names, sentence = said["errors"], said["sentence"]
        for name in names:
            kind = getattr(tiling.errors, name, None) or getattr(dicom.errors, name, None)
            if isinstance(kind, type) and issubclass(kind, (TilingError, DicomError)):
                return kind(str(sentence)[:_LONGEST_SENTENCE])
            if name in _OURS:
                return _OURS[name](str(sentence)[:_LONGEST_SENTENCE])
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return UnshowableError("A tile cannot be unpacked; it is not shown.")


_OURS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (UnshowableError, InvalidRequestError, NotFoundError, MemoryError, PermissionError)
}
"""Beside those about slides, what may be raised there."""

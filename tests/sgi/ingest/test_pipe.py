import itertools
import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.errors import ConversionCrashedError
from sgi.ingest.pipe import MAX_PAYLOAD, Kind, MessageParser, encode_header

MESSAGES = st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=40)), max_size=8)


def encoded(messages: list[tuple[Kind, bytes]]) -> bytes:
    return b"".join(encode_header(kind, len(data)) + data for kind, data in messages)


def joined(messages: Iterable[tuple[Kind, bytes]]) -> list[tuple[Kind, bytes]]:
    """Neighbouring pieces of DATA as one: it comes in whatever pieces the pipe gives."""
    whole: list[tuple[Kind, bytes]] = []
    for kind, data in messages:
        if kind is Kind.DATA and whole and whole[-1][0] is Kind.DATA:
            whole[-1] = (kind, whole[-1][1] + data)
        else:
            whole.append((kind, data))
    return whole


@given(MESSAGES, st.lists(st.integers(0, 400), max_size=12))
def test_any_split_gives_the_same_messages(
    messages: list[tuple[Kind, bytes]], cuts: list[int]
) -> None:
    data = encoded(messages)
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    parser = MessageParser()
    found = []
    for start, end in itertools.pairwise(edges):
        found += parser.feed(data[start:end])
    assert joined(found) == joined(messages)


@given(MESSAGES)
def test_byte_by_byte(messages: list[tuple[Kind, bytes]]) -> None:
    parser = MessageParser()
    found = [m for byte in encoded(messages) for m in parser.feed(bytes([byte]))]
    assert joined(found) == joined(messages)


@given(MESSAGES)
def test_as_much_at_a_time_as_it_wants(messages: list[tuple[Kind, bytes]]) -> None:
    data = encoded(messages)
    parser, found = MessageParser(), []
    while data:
        piece, data = data[: parser.wanted], data[parser.wanted :]
        for kind, payload in parser.feed(piece):
            assert kind is not Kind.DATA or not payload or payload is piece, "it was copied"
            found.append((kind, payload))
    assert found == messages


@given(st.binary(max_size=200))
def test_garbage_is_messages_or_one_error(data: bytes) -> None:
    try:
        found = list(MessageParser().feed(data))
    except ConversionCrashedError:
        return
    assert sum(len(payload) for _, payload in found) <= len(data)


@pytest.mark.parametrize("letter", [b"b", b"\0", b"\xff", b"Q"])
def test_an_unknown_kind(letter: bytes) -> None:
    with pytest.raises(ConversionCrashedError, match="nonsense"):
        list(MessageParser().feed(struct.pack(">cI", letter, 0)))


def test_what_comes_before_an_error_is_given() -> None:
    parser = MessageParser()
    feeding = parser.feed(encoded([(Kind.DATA, b"x")]) + b"?????")
    assert next(feeding) == (Kind.DATA, b"x")
    with pytest.raises(ConversionCrashedError):
        next(feeding)


def test_no_message_is_larger_than_the_limit() -> None:
    with pytest.raises(ValueError, match="too long"):
        encode_header(Kind.DATA, MAX_PAYLOAD + 1)
    with pytest.raises(ConversionCrashedError):
        list(MessageParser().feed(struct.pack(">cI", b"D", MAX_PAYLOAD + 1)))
    assert list(MessageParser().feed(encode_header(Kind.DATA, MAX_PAYLOAD))) == []

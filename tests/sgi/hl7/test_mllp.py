"""The framer: any cut of the bytes gives the same messages, and nothing makes it do more."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.hl7.errors import UnreadableMessageError
from sgi.hl7.mllp import Event, Frame, Framer, Refusal, Trouble, encode_frame

MOST = 1000
contents = st.binary(min_size=1, max_size=60).filter(
    lambda raw: not {0x0B, 0x1C} & set(raw) and bool(raw.strip(b"\r\n\t \x00"))
)
noise = st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" \x00", b"?!", b"junk"])
anything = st.lists(
    st.one_of(contents, noise, st.sampled_from([b"\x0b", b"\x1c", b"\x1c\r", b"\r", b"\x0b\x0b"])),
    max_size=20,
).map(b"".join)


def fed(raw: bytes, cuts: list[int], most: int = MOST) -> list[Event]:
    framer = Framer(most)
    edges = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    events = [event for a, b in pairwise(edges) for event in framer.feed(raw[a:b])]
    return events + framer.finish()


@given(st.lists(contents, max_size=5), noise, st.lists(st.integers(min_value=0), max_size=12))
def test_any_cut_gives_the_messages(sent: list[bytes], between: bytes, cuts: list[int]) -> None:
    raw = between + b"".join(encode_frame(one) + between for one in sent)
    assert fed(raw, cuts) == [Frame(one) for one in sent]


@given(anything, st.lists(st.integers(min_value=0), max_size=12))
def test_any_cut_of_anything_gives_the_same(raw: bytes, cuts: list[int]) -> None:
    assert fed(raw, cuts) == fed(raw, [])
    assert fed(raw, list(range(len(raw)))) == fed(raw, [])


@given(anything, st.integers(1, 20))
def test_no_more_is_held_than_allowed(raw: bytes, most: int) -> None:
    framer = Framer(most)
    for byte in raw:
        for event in framer.feed(bytes([byte])):
            if isinstance(event, Frame):
                assert 0 < len(event.content) <= most
        assert framer.held <= most


def test_a_message_at_every_byte() -> None:
    raw = encode_frame("MSH|^~\\&|é\rPID|1\r".encode())
    for cut in range(len(raw) + 1):
        assert fed(raw, [cut]) == [Frame(raw[1:-2])]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\x0bA\x1c", [Frame(b"A")]),  # the end of the bytes tells as well as CR
        (b"\x0bA\x1c\x0bB\x1c\r", [Frame(b"A"), Frame(b"B")]),
        (b"\x0bA\x1cB\x1c\r", [Refusal(Trouble.END_INSIDE, b"A")]),
        (b"\x0bA\x0bB\x1c\r", [Refusal(Trouble.UNFINISHED, b"A"), Frame(b"B")]),
        (b"\x0b\x0bB\x1c\r", [Frame(b"B")]),
        (b"\x0bA", [Refusal(Trouble.UNFINISHED, b"A")]),
        (b"\x0b\x1c\r\x0b\r\n\x1c\r", [Refusal(Trouble.EMPTY), Refusal(Trouble.EMPTY, b"\r\n")]),
        (b"hello \x0bA\x1c\r", [Frame(b"A")]),
        (b"\x1c\r\x1c\r\x0bA\x1c\r", [Frame(b"A")]),
        (b"GET / HTTP/1.1\r\n" * 30, [Refusal(Trouble.NOT_MLLP)]),
        (b"\x0b" * 1000 + b"A\x1c\r", [Refusal(Trouble.NOT_MLLP)]),
        (b"", []),
    ],
)
def test_what_is_made_of_it(raw: bytes, expected: list[Event]) -> None:
    assert fed(raw, []) == expected


def test_a_missing_return_is_waited_for_and_then_done_without() -> None:
    framer = Framer(MOST)
    assert framer.feed(b"\x0bA\x1c") == []
    assert framer.awaits_return
    assert framer.is_within
    assert framer.settle() == [Frame(b"A")]
    assert framer.settle() == []
    assert framer.feed(b"\r\x0bB\x1c\r") == [Frame(b"B")]  # it came after all
    assert not framer.is_within


def test_one_that_is_too_large_is_passed_over_and_the_next_is_read() -> None:
    for size, fits in [(MOST, True), (MOST + 1, False), (50 * MOST, False)]:
        content = b"MSH|^~\\&|" + b"x" * (size - 9)
        events = fed(encode_frame(content) + encode_frame(b"next"), list(range(0, 3000, 7)))
        assert events[-1] == Frame(b"next")
        if fits:
            assert events[0] == Frame(content)
        else:
            assert events[0] == Refusal(Trouble.TOO_LARGE, content[:MOST])


def test_nothing_is_read_of_who_does_not_speak_mllp() -> None:
    framer = Framer(MOST)
    assert framer.feed(b"x" * 300) == [Refusal(Trouble.NOT_MLLP)]
    assert framer.closed
    assert framer.feed(encode_frame(b"A")) == []
    assert framer.finish() == []


def test_noise_is_counted_from_message_to_message() -> None:
    framer = Framer(MOST)
    for _ in range(20):
        assert framer.feed(b"y" * 200) == []
        assert framer.feed(encode_frame(b"A")) == [Frame(b"A")]
    assert framer.feed(b"\r\n" * 100_000) == []  # blanks keep a connection open


@pytest.mark.parametrize("content", [b"A\x0bB", b"A\x1c", b"\x0b"])
def test_what_would_not_come_out_as_one_message_is_not_sent(content: bytes) -> None:
    with pytest.raises(UnreadableMessageError):
        encode_frame(content)


def seconds_for(raw: bytes, piece: int, most: int) -> float:
    framer = Framer(most)
    began = time.process_time()
    for start in range(0, len(raw), piece):
        framer.feed(raw[start : start + piece])
    return time.process_time() - began


def test_the_cost_is_that_of_the_bytes() -> None:
    """64 MB in pieces, a message in single bytes, restarts without end: all in proportion."""
    large = encode_frame(b"x" * (64 << 20))
    assert seconds_for(large, 1400, 65 << 20) < 20
    assert seconds_for(encode_frame(b"x" * 200_000), 1, 1 << 20) < 20
    assert seconds_for(b"\x0ba" * 1_000_000, 65_536, 1 << 20) < 20

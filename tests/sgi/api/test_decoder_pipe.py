"""What a process that was taken over may send is bytes, or nothing."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.api.decoder_pipe import (
    ANSWER,
    MOST_BYTES,
    Answer,
    encode_answer,
    encode_error,
    parse_error,
    parse_head,
)
from sgi.errors import UnshowableError
from tiling.errors import DamagedSlideError, TilingError

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMES = st.sampled_from(["TilingError", "SystemExit", "annotations", "__builtins__", "object"])


@given(st.sampled_from(Answer), st.floats(0, 1e6), st.binary(max_size=50))
def test_an_answer_comes_as_it_was_sent(answer: Answer, cpu_s: float, payload: bytes) -> None:
    sent = encode_answer(answer, cpu_s, payload)
    assert parse_head(sent[: ANSWER.size]) == (answer, cpu_s, len(payload))
    assert sent[ANSWER.size :] == payload


@given(st.binary(min_size=ANSWER.size, max_size=ANSWER.size))
def test_no_head_asks_for_more_than_there_may_be(head: bytes) -> None:
    try:
        _, cpu_s, length = parse_head(head)
    except ValueError:
        return
    assert 0 <= length <= MOST_BYTES
    assert 0 <= cpu_s < math.inf


@pytest.mark.parametrize("cpu_s", [math.nan, math.inf, -1.0])
def test_times_that_cannot_be(cpu_s: float) -> None:
    with pytest.raises(ValueError, match="long"):
        parse_head(ANSWER.pack(b"M", cpu_s, 1))


@given(st.binary() | JSON.map(lambda said: json.dumps(said).encode()))
def test_an_error_that_is_none(told: bytes) -> None:
    assert isinstance(parse_error(told), UnshowableError)


@given(st.lists(NAMES | st.text() | st.integers() | st.lists(st.text())), JSON)
def test_an_error_is_one_about_frames(names: list[object], sentence: object) -> None:
    error = parse_error(json.dumps({"errors": names, "sentence": sentence}).encode())
    assert isinstance(error, TilingError | UnshowableError)
    assert len(str(error)) <= 500


def test_our_errors_keep_their_class_and_sentence() -> None:
    for error in (
        DamagedSlideError("A tile is broken."),
        UnshowableError("Too deep."),
        MemoryError(),
    ):
        known = parse_error(encode_error(error))
        assert (type(known), str(known)) == (type(error), str(error))

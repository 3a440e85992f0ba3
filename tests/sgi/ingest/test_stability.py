from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.arrival import Fingerprint
from sgi.ingest.stability import HOLLOW_FACTOR, Stability, is_hollow

PATH = Path("/drop/slide.svs")


def test_quiet_since_the_last_change() -> None:
    stability = Stability(5.0)
    assert stability.quiet_for(PATH, Fingerprint(1, 1), 100.0) == 0
    assert stability.quiet_for(PATH, Fingerprint(1, 1), 104.0) == 4
    assert stability.quiet_for(PATH, Fingerprint(2, 1), 106.0) == 0
    assert stability.quiet_for(PATH, Fingerprint(2, 2), 107.0) == 0, "only its time changed"
    assert stability.quiet_for(PATH, Fingerprint(2, 2), 113.0) == 6
    assert not stability.is_whole(4.9, hollow=False)
    assert stability.is_whole(5.0, hollow=False)
    assert not stability.is_whole(5.0 * HOLLOW_FACTOR - 0.1, hollow=True)
    assert stability.is_whole(5.0 * HOLLOW_FACTOR, hollow=True)


def test_what_went_away_starts_anew() -> None:
    stability = Stability(5.0)
    stability.quiet_for(PATH, Fingerprint(1, 1), 0.0)
    stability.keep_only([PATH])
    assert stability.quiet_for(PATH, Fingerprint(1, 1), 3.0) == 3
    stability.keep_only([])
    assert stability.quiet_for(PATH, Fingerprint(1, 1), 9.0) == 0


CHANGES = st.lists(
    st.tuples(st.floats(0.01, 10), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30
)


@given(CHANGES)
def test_never_quieter_than_it_was(changes: list[tuple[float, int, int]]) -> None:
    stability = Stability(5.0)
    now, last_change, known = 0.0, 0.0, None
    for pause, size, time in changes:
        now += pause
        fingerprint = Fingerprint(size, time)
        if fingerprint != known:
            known, last_change = fingerprint, now
        assert stability.quiet_for(PATH, fingerprint, now) == now - last_change


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_hollow(head: bytes, tail: bytes) -> None:
    zeros = bytes(len(head)), bytes(len(tail))
    assert is_hollow(head, tail) == (len(head) > 0 and (head == zeros[0] or tail == zeros[1]))


def test_an_empty_file_is_not_hollow() -> None:
    assert not is_hollow(b"", b"")
    assert is_hollow(bytes(10), b"x")
    assert is_hollow(b"x", bytes(10))
    assert not is_hollow(b"\0x", b"x\0")

"""Whatever the order in which messages come, the newest word on each field holds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.newest import (
    cancelled_after_cancel,
    cancelled_after_record,
    newest,
    times_after,
)

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FIELDS = ("a", "b", "c")

words = st.dictionaries(st.sampled_from(FIELDS), st.one_of(st.none(), st.integers()))
times = st.lists(st.integers(0, 1000), unique=True, min_size=1, max_size=6)


def apply(messages: list[tuple[datetime, dict[str, int | None]]]) -> dict[str, object]:
    held: dict[str, object] = {}
    said_when: dict[str, str] = {}
    for at, said in messages:
        taken = newest(said_when, said, at)
        said_when = times_after(said_when, taken, at)
        held |= taken
    return held


@given(st.data())
def test_the_order_does_not_matter(data: st.DataObject) -> None:
    minutes = data.draw(times)
    messages = [(AT + timedelta(minutes=each), data.draw(words)) for each in minutes]
    expected = apply(sorted(messages, key=lambda message: message[0]))
    assert apply(data.draw(st.permutations(messages))) == expected
    assert apply([*messages, *messages]) == expected, "a replay changes nothing"


def test_silence_changes_nothing_and_the_later_received_wins() -> None:
    assert apply([(AT, {"a": 1, "b": 2}), (AT + timedelta(1), {"a": None, "b": 3})]) == {
        "a": 1,
        "b": 3,
    }
    assert apply([(AT, {"a": 1}), (AT, {"a": 2})]) == {"a": 2}


steps = st.lists(
    st.tuples(st.integers(0, 1000), st.booleans()), unique_by=lambda step: step[0], max_size=8
)


@given(steps, st.randoms(use_true_random=False))
def test_the_last_word_on_a_cancellation_holds(
    said: list[tuple[int, bool]], chance: object
) -> None:
    shuffled = list(said)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    recorded: datetime | None = None
    cancelled: datetime | None = None
    for minute, is_cancel in shuffled:
        at = AT + timedelta(minutes=minute)
        if is_cancel:
            cancelled = cancelled_after_cancel(cancelled, recorded, at)
        else:
            recorded = at if recorded is None else max(recorded, at)
            cancelled = cancelled_after_record(cancelled, at)
    last = max(said, default=(0, False))
    assert (cancelled is not None) == last[1]

"""The rules of a case's states, as one table and as what images make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.case import (
    OPEN,
    RULES,
    UNREAD,
    CaseEvent,
    CaseState,
    state_after,
    state_by_images,
)


def test_every_event_has_its_rule_and_every_state_is_reached() -> None:
    assert set(RULES) == set(CaseEvent)
    reached = {state for rule in RULES.values() for state in rule.values()}
    assert reached | {CaseState.IN_PROGRESS, CaseState.READY} == set(CaseState)


@pytest.mark.parametrize("state", list(CaseState))
def test_the_laboratory_always_has_the_last_word(state: CaseState) -> None:
    assert state_after(state, CaseEvent.CANCEL) is CaseState.CANCELLED
    if state is not CaseState.CANCELLED:
        assert state_after(state, CaseEvent.FINAL) is CaseState.SIGNED_OUT


def test_what_is_closed_is_only_opened_on_purpose() -> None:
    for state in set(CaseState) - OPEN:
        opening = {event for event in CaseEvent if state_after(state, event) in OPEN}
        assert opening == (
            {CaseEvent.RESTORE} if state is CaseState.CANCELLED else {CaseEvent.REOPEN}
        )


@given(
    st.sampled_from(list(CaseState)),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_images_change_nothing_once_somebody_has_begun(
    state: CaseState, expected: int, scanned: int, rescans: int
) -> None:
    after = state_by_images(state, expected, scanned, rescans)
    assert after in UNREAD if state in UNREAD else after is state
    if after is CaseState.READY and state in UNREAD:
        assert scanned >= max(expected, 1)
        assert rescans == 0
    assert state_by_images(after, expected, scanned, rescans) is after


def test_ready_is_all_of_it() -> None:
    told = [
        state_by_images(CaseState.RECEIVED, *counts)
        for counts in ((0, 0, 0), (2, 0, 0), (2, 1, 0), (2, 2, 1), (2, 2, 0))
    ]
    assert told == [
        CaseState.RECEIVED,
        CaseState.RECEIVED,
        CaseState.IN_PROGRESS,
        CaseState.IN_PROGRESS,
        CaseState.READY,
    ]

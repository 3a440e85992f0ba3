import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, derived_uid


@given(st.uuids(), st.lists(st.text(), max_size=3))
def test_derived_uid_is_valid_and_repeats(root: uuid.UUID, names: list[str]) -> None:
    uid = derived_uid(root, *names)
    assert UID(uid).is_valid
    assert uid == derived_uid(root, *names)


def test_names_are_a_path() -> None:
    root = uuid.uuid4()
    uids = {
        derived_uid(root, *names)
        for names in [(), ("a",), ("b",), ("a", "b"), ("ab",), ("b", "a"), ("a/b",)]
    }
    assert len(uids) == 7


@pytest.mark.parametrize("uid", [IMPLEMENTATION_CLASS_UID])
def test_our_own_uid_is_valid(uid: str) -> None:
    assert UID(uid).is_valid
    assert len(IMPLEMENTATION_VERSION_NAME) <= 16

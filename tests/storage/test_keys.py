import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import InvalidKeyError
from storage.keys import require_key, require_prefix


@given(st.text(max_size=40) | st.text(alphabet="a./\\%\x00é", max_size=12))
def test_an_allowed_key_stays_below_any_root(key: str) -> None:
    try:
        require_key(key)
    except InvalidKeyError:
        return
    assert key.isascii()
    assert key.isprintable()
    assert all(part and not part.startswith(".") for part in key.split("/"))


def test_dicom_shaped_keys_are_allowed() -> None:
    require_key("slides/0190f3a2-7c1e/1.2.840.10008.5.1.4.1.1.77.1.6.dcm")
    require_prefix("slides/0190f3a2-7c1e/")


def test_the_message_is_short_and_on_one_line() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        require_key("a\nERROR forged " + "x" * 5000)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.text import require_text, short_text


@given(st.text(), st.integers(1, 80))
def test_short_text_fits_a_dicom_string(value: str, limit: int) -> None:
    text = short_text(value, limit)
    assert text is None or (
        0 < len(text) <= limit and "\\" not in text and text.isprintable() and text == text.strip()
    )


@pytest.mark.parametrize("value", [None, "", "  ", "\\\n\0"])
def test_short_text_of_nothing_is_absent(value: str | None) -> None:
    assert short_text(value) is None


@pytest.mark.parametrize("value", ["", "a\\b", "a\nb", " a", "x" * 17])
def test_require_text_refuses_what_would_be_changed(value: str) -> None:
    with pytest.raises(ValueError, match="accession number"):
        require_text("accession number", value, 16)


def test_require_text_takes_absence_and_plain_words() -> None:
    require_text("accession number", None, 16)
    require_text("accession number", "24H01234 é", 16)

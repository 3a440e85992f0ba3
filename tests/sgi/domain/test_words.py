import re

import pytest

from sgi.domain.arrival import Reason, ReasonCode
from sgi.domain.words import Language, sentence

NARROW = "\u202f"


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_is_one_sentence_in_both_languages(code: ReasonCode) -> None:
    english = sentence(Reason(code), Language.ENGLISH)
    french = sentence(Reason(code), Language.FRENCH)
    assert english != french
    for text in (english, french):
        assert text.endswith(".")
        assert text == text.strip()
        assert text[0].isupper()
        assert "\n" not in text
        assert len(text) < 120
    assert not re.search(r"[^\x20-\x7e]", english)
    for mark in ";:!?»":
        assert mark not in french.replace(NARROW + mark, ""), "a space that may break the line"
    assert " " + NARROW not in french


@pytest.mark.parametrize("code", sorted(set(ReasonCode) - {ReasonCode.ALREADY_A_SLIDE}))
def test_the_finding_itself_is_told_in_english(code: ReasonCode) -> None:
    reason = Reason(code, "The third tile is damaged.")
    assert sentence(reason, Language.ENGLISH) == "The third tile is damaged."
    assert sentence(reason, Language.FRENCH) == sentence(Reason(code), Language.FRENCH)


def test_the_id_of_a_slide_is_no_sentence() -> None:
    reason = Reason(ReasonCode.ALREADY_A_SLIDE, "7d9f")
    for language in Language:
        assert "7d9f" not in sentence(reason, language)

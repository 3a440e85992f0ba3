"""What a message changed is told in words, whatever it was."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_CODE = re.compile(r'Change\(\s*"([a-z_]+\.[a-z_]+|[a-z]+)"')


def codes() -> set[str]:
    found: set[str] = set()
    for module in (ROOT / "sgi" / "hl7").glob("*.py"):
        found |= set(_CODE.findall(module.read_text()))
    return found


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_change_has_words(language: str) -> None:
    document = json.loads((ROOT / f"viewer/src/i18n/{language}.json").read_text())
    words = document["interfaces"]["change"]
    assert {"slide.attached", "message.cut"} <= codes()
    for code in codes():
        assert {f"{code.replace('.', '_')}_{form}" for form in ("one", "other")} <= set(words), code

"""Whatever stops a notice or a message is told in French too."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sgi
from sgi.domain.french import LINKS, sentences
from sgi.domain.link_words import link_words
from sgi.domain.words import Language

ROOT = Path(sgi.__file__).parent
MODULES = (
    "hl7/answers.py",
    "hl7/client.py",
    "hl7/connection_out.py",
    "hl7/files.py",
    "hl7/files_found.py",
    "hl7/files_out.py",
    "hl7/notices.py",
    "hl7/outgoing.py",
    "hl7/receive.py",
    "hl7/sender.py",
    "catalogue/interfaces.py",
    "catalogue/outbox.py",
    "catalogue/outbox_turns.py",
)
TOLD = {
    "LinkError",
    "LinkUnavailableError",
    "LinkTimeoutError",
    "BadAnswerError",
    "NotYet",
    "NotFoundError",
    "UnreadableFileError",
}
NEVER_KEPT = {"There is no such interface.", "There is no such message."}
"""Of requests."""
_SENTENCE = re.compile(r"([A-Z]|{} ).* .*\.")


def blank(text: str) -> str:
    return re.sub(r"\{\w*\}", "{}", text)


def literal(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return None


def said() -> Iterator[str]:
    """What is raised, put into words by hand, or named."""
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
            found: list[str | None] = []
            if isinstance(node, ast.Call):
                kind = getattr(node.func, "id", getattr(node.func, "attr", ""))
                found += [literal(part) for part in node.args if kind in TOLD]
                found += [literal(part.value) for part in node.keywords if part.arg == "detail"]
            elif isinstance(node, ast.Assign):
                found.append(literal(node.value))
            for text in found:
                if text is not None and _SENTENCE.fullmatch(text):
                    yield text


def test_every_sentence_has_its_french() -> None:
    known = {blank(english) for english in sentences(LINKS)}
    found = set(said()) - NEVER_KEPT
    assert len(found) > 12
    assert found <= known


@pytest.mark.parametrize("english", sentences(LINKS))
def test_the_french_tells_the_same(english: str) -> None:
    french = sentences(LINKS)[english]
    assert set(re.findall(r"\{\w+\}", french)) == set(re.findall(r"\{\w+\}", english))
    assert french[-1] == english[-1] == "."
    filled = re.sub(r"\{(\w+)\}", "sgl.chu.fr:2575", english)
    told = link_words(filled, Language.FRENCH)
    assert told is not None
    assert told != filled
    assert "{" not in told
    assert link_words(filled, Language.ENGLISH) == filled


def test_what_is_not_ours_stays_as_it_is() -> None:
    for words in ("Patient inconnu", "26P00123.A.01.01", "birth_name, sex"):
        assert link_words(words, Language.FRENCH) == words
    assert link_words(None, Language.FRENCH) is None


def test_why_a_message_was_refused_is_told_in_french() -> None:
    told = link_words("The message could not be taken in time; send it again.", Language.FRENCH)
    assert told == "Le message n'a pas pu être pris en compte à temps\u202f; renvoyez-le."

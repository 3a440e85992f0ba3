"""What administrators read of work that does not go on, and of what is left out, in French too."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sgi
from sgi.catalogue.rebuild import UNAPPROVED
from sgi.domain.arrival import ReasonCode
from sgi.domain.failures import UNEXPECTED, failure_told
from sgi.domain.french import KEEPING, LEFT_OUT, in_french, sentences
from sgi.domain.words import Language

ROOT = Path(sgi.__file__).parents[1]
NARROW = "\u202f"
KEEPERS = [
    *sorted((ROOT / "sgi/retention").glob("*.py")),
    ROOT / "sgi/stored/retention.py",
    *(ROOT / f"sgi/keeping/{name}.py" for name in ("moves", "copies", "frozen", "reaping")),
]
LEAVES_OUT = re.compile(
    r"(not|is|are) kept\.|not kept (but|where)|made anew\.|cannot be read\.|are counted\."
    r"|shown as background\."
)


def text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return None


def raised(path: Path) -> Iterator[str | None]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            kind = getattr(node.func, "id", "")
            if kind in {"VerificationError", "ConfigurationError"}:
                yield text_of(node.args[0])


def left_out(path: Path) -> Iterator[str]:
    """Sentences of a module that are no documentation and no part of another."""
    tree = ast.parse(path.read_text("utf-8"))
    others = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        inner = []
        if isinstance(node, ast.JoinedStr):
            inner = node.values
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error"):
            inner = [*ast.walk(node)]
        others |= {id(part) for part in inner}
    for node in ast.walk(tree):
        text = text_of(node)
        if text is not None and id(node) not in others and LEAVES_OUT.search(text):
            yield re.sub(r"\{\w*\}", "{}", text)


def test_every_failure_has_its_french_and_no_other() -> None:
    said = {text for path in KEEPERS for text in raised(path)}
    assert said | {UNAPPROVED, UNEXPECTED} == set(sentences(KEEPING))


def test_whatever_is_left_out_has_its_french_and_nothing_else() -> None:
    modules = [*(ROOT / "tiling").rglob("*.py"), *(ROOT / "dicom").rglob("*.py")]
    known = {re.sub(r"\{\w*\}", "{}", english) for english in sentences(LEFT_OUT)}
    assert {text for path in modules for text in left_out(path)} == known


@pytest.mark.parametrize("french", [*sentences(KEEPING).values(), *sentences(LEFT_OUT).values()])
def test_the_french_is_well_made(french: str) -> None:
    assert french.endswith(".")
    assert french[0].isupper()
    assert len(french) < 200
    for mark in ";:!?»":
        assert mark not in french.replace(NARROW + mark, ""), "a space that may break the line"


@pytest.mark.parametrize("code", [None, *ReasonCode])
def test_a_failure_is_told_in_each_language(code: ReasonCode | None) -> None:
    english = "The store refused objects/x: AccessDenied."
    assert failure_told(english, code, Language.ENGLISH) == english
    french = failure_told(english, code, Language.FRENCH)
    assert french
    assert "AccessDenied" not in french
    assert "fichier" not in french
    if code is ReasonCode.STORE_REFUSED:
        assert "refuse nos identifiants" in french
    assert failure_told(None, code, Language.FRENCH) is None


def test_what_is_left_out_names_what_it_names() -> None:
    said = in_french("The overview is of a kind that cannot be read.", table=LEFT_OUT)
    assert said == "Une image annexe (overview) est d'un type qui ne peut pas être lu."

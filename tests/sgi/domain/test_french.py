"""Every sentence that a reader may stop a slide with is right in French too."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import sgi
from sgi.domain.arrival import Reason, ReasonCode
from sgi.domain.french import in_french, sentences
from sgi.domain.words import Language, sentence

ROOT = Path(sgi.__file__).parents[1]
NARROW = "\u202f"
ENDS_WELL = {
    # What the sentence of the code says in French as well: copy it again; it is set aside.
    "DamagedSlideError": re.compile(r"; (copy|it is refused)\b.*\.$"),
    "SlideTooLargeError": re.compile(r"; it is refused\.$"),
}
SLIDES = {
    "UnknownFormatError",
    "AmbiguousFormatError",
    "UnsupportedSlideError",
    "IncompleteSlideError",
    *ENDS_WELL,
}
INSTANCES = {"UnsupportedInstanceError"}
"""Told within a sentence of `dicom.source.reader`."""
WAITED_FOR = ("sgi.ingest.gather", "sgi.ingest.ome_sets", "sgi.ingest.watcher")
"""Modules that say what a slide waits for."""
ON_THE_WAY_IN = re.compile(r"dicom/(source/\w+|elements|header|frame_index|tile_order|reader)\.py")


def text_of(node: ast.expr) -> str | None:
    """A literal sentence, its fields as `{}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    if isinstance(node, ast.IfExp):
        return text_of(node.body)
    return None


class Module:
    """The sentences of a source file, by the names that it gives them."""

    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(ROOT).as_posix()
        self.tree = ast.parse(path.read_text("utf-8"))
        self.named: dict[str, str] = {}
        self.imported: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._name(node.targets[0].id, node.value)
            elif isinstance(node, ast.FunctionDef):
                for part in ast.walk(node):
                    if isinstance(part, ast.Return) and part.value is not None:
                        self._name(node.name, part.value)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    self.imported[alias.asname or alias.name] = f"{node.module}:{alias.name}"

    def _name(self, name: str, node: ast.expr) -> None:
        text = text_of(node)
        if text is not None:
            self.named[name] = text

    def raised(self, kinds: set[str]) -> Iterator[tuple[str, ast.expr]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and node.args:
                kind = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if kind in kinds:
                    yield kind, node.args[0]


@cache
def modules() -> dict[str, Module]:
    paths = [*(ROOT / "tiling").rglob("*.py"), *(ROOT / "dicom").rglob("*.py")]
    paths += (ROOT / "sgi" / "ingest").rglob("*.py")
    found = [Module(path) for path in paths if path.name != "testing.py"]
    return {module.name.removesuffix(".py").replace("/", "."): module for module in found}


def told(module: Module, node: ast.expr) -> str | None:
    """The sentence of an argument: a literal, a name, or what a function of the module says."""
    text = text_of(node)
    name = node.func if isinstance(node, ast.Call) else node
    if text is not None or not isinstance(name, ast.Name):
        return text
    if name.id in module.named:
        return module.named[name.id]
    home, _, original = module.imported.get(name.id, "").partition(":")
    other = modules().get(home) or modules().get(f"{home}.__init__")
    return None if other is None else other.named.get(original)


def raised() -> Iterator[tuple[str, str, str | None]]:
    for module in modules().values():
        kinds = SLIDES | (INSTANCES if ON_THE_WAY_IN.fullmatch(module.name) else set())
        for kind, node in module.raised(kinds):
            yield kind, f"{module.name}:{node.lineno}", told(module, node)


def waited_for() -> Iterator[str]:
    """All literals of those modules but what documents them, and what commands say."""
    for name in WAITED_FOR:
        tree = modules()[name].tree
        others = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        others |= {id(node) for _, node in modules()[name].raised({"ConfigurationError"})}
        for node in ast.walk(tree):
            text = text_of(node) if isinstance(node, ast.expr) else None
            if text is not None and id(node) not in others:
                yield text


def blank(text: str) -> str:
    return re.sub(r"\{\w*\}", "{}", text)


def test_every_sentence_has_its_french() -> None:
    known = {blank(english) for english in sentences()}
    lacking = [
        f"{place}: {text}"
        for kind, place, text in raised()
        if text is None
        or not (text in known or (kind in ENDS_WELL and ENDS_WELL[kind].search(text)))
    ]
    assert not lacking, "\n".join(["give these their French in sgi/domain/french.txt:", *lacking])


def test_what_is_waited_for_has_its_french() -> None:
    known = {blank(english) for english in sentences()}
    sentence_of = re.compile(r"[A-Z{].*[;.] .*\.")
    assert {text for text in waited_for() if sentence_of.fullmatch(text)} <= known


def test_no_french_is_of_a_sentence_that_is_gone() -> None:
    said = {text for _, _, text in raised() if text is not None} | set(waited_for())
    said |= {text for module in modules().values() for text in module.named.values()}
    assert {blank(english) for english in sentences()} - said == set()


@pytest.mark.parametrize("english", sentences())
def test_the_french_is_as_well_made_as_the_english(english: str) -> None:
    french = sentences()[english]
    fields = re.compile(r"\{(\w+)\}")
    assert set(fields.findall(french)) <= set(fields.findall(english))
    within_another = french[0].islower() or ";" not in english
    assert french.endswith(".") or within_another
    assert len(french) < 200
    assert "\n" not in french
    for mark in ";:!?»":
        assert mark not in french.replace(NARROW + mark, ""), "a space that may break the line"


def in_words(code: ReasonCode, detail: str) -> str:
    return sentence(Reason(code, detail), Language.FRENCH).replace(NARROW, " ")


def test_what_a_sentence_names_is_named() -> None:
    detail = "Slide; 1.mrxs is missing from the folder with the same name as the .mrxs file; "
    said = in_words(ReasonCode.COMPANION_MISSING, detail + "copy the whole folder again.")
    assert said.startswith("Slide; 1.mrxs manque dans le dossier")


def test_a_sentence_within_a_sentence() -> None:
    said = in_words(
        ReasonCode.UNSUPPORTED,
        "The DICOM file cannot be shown: The pixels have 4 samples; "
        "export the slide in another form.",
    )
    assert said == (
        "Le fichier DICOM ne peut pas être affiché : ses pixels ont 4 composantes ; "
        "exportez la lame sous une autre forme."
    )


@pytest.mark.parametrize("detail", ["", "A surprise.", "The DICOM file cannot be shown: What; x."])
def test_without_french_the_code_is_told(detail: str) -> None:
    assert in_french(detail) is None
    code = ReasonCode.UNSUPPORTED
    assert in_words(code, detail) == sentence(Reason(code), Language.FRENCH).replace(NARROW, " ")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("The files of the series name different patients; put the files of each slide into a "
         "folder of its own.", "patients différents"),
        ("Two files of the series have one identity and different contents; keep the right one "
         "of them.", "la même identité"),
    ],
)  # fmt: skip
def test_two_slides_in_one_are_told_as_such(detail: str, said: str) -> None:
    french = in_words(ReasonCode.UNSUPPORTED, detail)
    assert said in french
    assert "exportez" not in french


@pytest.mark.parametrize("text", ["{names}" * 60, "a " * 100_000, " is missing" * 10_000])
def test_long_names_take_no_time(text: str) -> None:
    in_french(text)

"""What people are told of a message before it is sent, and that every sentence has its French."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

import sgi.hl7
from sgi.commands.hl7_try import interface_named, language_of_terminal, try_messages
from sgi.domain.case import Asset, AssetKind, CaseSaid, CaseState
from sgi.domain.french import MESSAGES, in_french, sentences
from sgi.domain.words import Language
from sgi.errors import ConfigurationError, VanishedError
from sgi.hl7 import errors, statements
from sgi.hl7.interfaces import built_in, parse_interface
from sgi.hl7.part_names import label
from sgi.hl7.wording import _HEADLINES
from sgi.settings import Hl7Settings, Settings

NOW = datetime(2026, 6, 12, 12, 0, tzinfo=UTC)
HEADER = "MSH|^~\\&|SGL|CHU-X|SGI|CHU-X|20260612101500||OML^O21|C1|P|2.5.1"
PID = "PID|1||000003^^^CHU-X^PI||MARTIN^JEANNE||19500102|F"
GOOD = (
    f"{HEADER}|||||FRA|UNICODE UTF-8|||DPOW-SLIDE^IHE",
    PID,
    f"ORC|NW|D1|26P1{'|' * 35}26P1",
    "OBR|1|D1|26P1|ACP^Anatomie^L",
    f"SPM|1|26P1.A.1.1|26P1.A.1{'|' * 24}GLASS|||26P1",
)
BAD = (HEADER, PID, "ORC|HD|D1|26P1")


def tried(*messages: tuple[str, ...], language: Language = Language.ENGLISH) -> tuple[bool, str]:
    told = StringIO()
    file = Path(os.environ["PYTEST_TRY_FILE"])
    file.write_text("\n".join("\n".join(lines) for lines in messages))
    console = Console(file=told, width=300, soft_wrap=True)
    taken = try_messages(file, built_in(), language, console, NOW)
    return taken, told.getvalue()


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_TRY_FILE", str(tmp_path / "messages.hl7"))
    return tmp_path / "messages.hl7"


def test_what_would_be_done_and_where_it_was_read() -> None:
    taken, told = tried(GOOD)
    assert taken
    assert "1. OML^O21 C1" in told
    assert "Slide 26P1.A.1.1: create or update." in told
    assert "comes from: 26P1.A.1  [SPM-3]" in told
    assert "case number: 26P1  [ORC-38]" in told
    assert "MSA|AA|C1" in told


def test_in_french() -> None:
    taken, told = tried(GOOD, BAD, language=Language.FRENCH)
    assert not taken
    assert "Lame 26P1.A.1.1 : créer ou mettre à jour." in told
    assert "Refusé : ORC-1 n'est pas pris en charge pour un tel message. [ORC-1]" in told
    assert "MSA|AE|C1" in told
    assert "ERR||ORC^1^1|103^Table value not found^HL70357|E" in told


def test_several_messages_are_told_one_by_one() -> None:
    taken, told = tried(GOOD, GOOD, GOOD)
    assert taken
    assert [line for line in told.splitlines() if line[:1].isdigit()] == [
        "1. OML^O21 C1",
        "2. OML^O21 C1",
        "3. OML^O21 C1",
    ]


@pytest.mark.parametrize("lines", [("nonsense",), ("MSH|",), ()])
def test_what_is_no_message_is_not_taken(lines: tuple[str, ...]) -> None:
    assert not tried(lines)[0]


def test_the_terminal_is_not_told_what_to_do() -> None:
    odd = (*GOOD, "NTE|1|L|\x1b[31mJ\x07[red]")
    _, told = tried(odd)
    assert "\x1b" not in told
    assert "\x07" not in told
    assert "[red]" in told


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(VanishedError):
        try_messages(tmp_path / "gone", built_in(), Language.ENGLISH)


def test_interfaces_by_name_and_by_file(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('establishment = "X"')
    settings = Settings(hl7=Hl7Settings(folder=tmp_path))
    typo = Settings(hl7=Hl7Settings(folder=tmp_path / "typo"))
    assert interface_named(str(own), typo).establishment == "X"
    assert interface_named("own", settings).establishment == "X"
    assert interface_named("roche", settings).read.filler == ()
    with pytest.raises(ConfigurationError, match="There is no interface x; there are own, roche"):
        interface_named("x", settings)
    for name in ("own", "sgl"):
        with pytest.raises(ConfigurationError, match="SGI_HL7__FOLDER: there is no folder"):
            interface_named(name, typo)


@pytest.mark.parametrize("kind", ["mllp", "files"])
def test_what_is_larger_than_what_is_taken_is_refused(kind: str) -> None:
    """As it would be on the wire, message by message, or in the folder, whole."""
    large = (*GOOD[:-1], *(f"NTE|{number}||{'x' * 500}" for number in range(10)), GOOD[-1])
    file = Path(os.environ["PYTEST_TRY_FILE"])
    file.write_text("\n".join("\n".join(lines) for lines in (GOOD, large)))
    told = StringIO()
    console = Console(file=told, width=300, soft_wrap=True)
    interface = parse_interface({"kind": kind}, "own.toml", "own")
    assert not try_messages(file, interface, Language.FRENCH, console, NOW, most_bytes=4_000)
    said = told.getvalue()
    what = {"mllp": "Le message dépasse 0 Mio", "files": "Le fichier dépasse 0 Mio"}[kind]
    assert what in said
    assert said.count("MSA|AE|C1") == 1
    assert said.count("MSA|AA|C1") == {"mllp": 1, "files": 0}[kind]


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, Language.FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, Language.ENGLISH),
        ({"LC_MESSAGES": "fr", "LANG": "en_GB"}, Language.FRENCH),
        ({}, Language.ENGLISH),
    ],
)
def test_the_language_of_the_terminal(environment: dict[str, str], language: Language) -> None:
    assert language_of_terminal(environment) is language


def test_the_command_needs_no_database(file: Path) -> None:
    file.write_text("\r".join(GOOD))
    command = [sys.executable, "-m", "sgi", "hl7", "try", str(file)]
    clean = {"PATH": os.environ["PATH"], "LANG": "fr_FR.UTF-8", "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=clean, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "créer ou mettre à jour" in done.stdout
    file.write_text("\r".join(BAD))
    done = subprocess.run(command, capture_output=True, text=True, env=clean, check=False)
    assert done.returncode == 1
    assert "Refusé" in done.stdout


def test_every_synthetic_message_can_be_told(interop: Path) -> None:
    for path in sorted((interop / "synthetic").glob("*.hl7")):
        for language in Language:
            told = StringIO()
            console = Console(file=told, width=300, soft_wrap=True)
            try_messages(path, built_in(), language, console, NOW)
            assert "MSA|A" in told.getvalue()


# Words ------------------------------------------------------------------------------------------


def test_every_statement_has_its_words() -> None:
    assert set(_HEADLINES) == set(get_args(statements.Statement))


def test_every_part_has_its_name() -> None:
    told = [field.name for kind in (Asset, CaseSaid) for field in fields(kind)]
    for kind in (statements.WorkOrderAccepted, statements.ReportSaid, statements.OrderAnswered):
        told += [field.name for field in fields(kind)]
    for part in set(told) - {"media_type"}:
        assert label(part, Language.FRENCH)
        assert "_" not in label(part, Language.ENGLISH), part
    assert set(AssetKind)
    assert set(CaseState)


KINDS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.MessageError)
}
NOTED = {"note", "append"}
LISTS = {"notes", "aside", "scope", "self", "own"}


def text_of(node: ast.AST) -> str | None:
    """A literal sentence, its fields as `{}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
        return "".join(map(str, parts))
    return None


def said() -> Iterator[tuple[str, str]]:
    """Every sentence of an error or a note, and where it is."""
    for path in sorted(Path(sgi.hl7.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            owner = getattr(getattr(node.func, "value", None), "id", "")
            text = text_of(node.args[0])
            if text and (name in KINDS or (name in NOTED and owner in LISTS)) and " " in text:
                yield f"{path.name}:{node.lineno}", text


def blank(sentence: str) -> str:
    return re.sub(r"\{\w*\}", "{}", sentence)


def test_every_sentence_has_its_french() -> None:
    known = {blank(english) for english in sentences(MESSAGES)}
    lacking = [f"{place}: {text}" for place, text in said() if text not in known]
    assert not lacking, "\n".join(
        ["give these their French in sgi/domain/french_hl7.txt:", *lacking]
    )


@pytest.mark.parametrize("english", sentences(MESSAGES))
def test_the_french_tells_the_same(english: str) -> None:
    french = sentences(MESSAGES)[english]
    assert set(re.findall(r"\{\w+\}", french)) == set(re.findall(r"\{\w+\}", english))
    assert french[-1] == english[-1] == "."
    filled = re.sub(r"\{(\w+)\}", "SPM-2", english)
    translated = in_french(filled, table=MESSAGES)
    assert translated is not None
    assert "{" not in translated


def test_what_has_no_french_stays_as_it_is() -> None:
    assert in_french("Nobody ever wrote this.", table=MESSAGES) is None

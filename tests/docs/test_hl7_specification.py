"""The specification lists exactly the messages, fields and codes that the code takes and sends."""

import re
import tomllib
import uuid
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sgi.domain.case import (
    AssetKind,
    Case,
    CaseState,
    Code,
    Priority,
    WorkKind,
    WorkOrder,
)
from sgi.domain.interface import NoticeKind
from sgi.domain.patient import Identifier, IdentityStatus, Patient, Traits
from sgi.hl7 import errors, preparation, reports
from sgi.hl7.acknowledge import ANSWERS
from sgi.hl7.encodings import Charset
from sgi.hl7.events import EVENTS, TRANSACTIONS
from sgi.hl7.interface import AssetWord, Interface, Read
from sgi.hl7.interfaces import built_in, parse_interface
from sgi.hl7.mapping import read_message, statements_of
from sgi.hl7.orders import CANCELLING, RECORDING
from sgi.hl7.results_out import (
    Envelope,
    Image,
    SlideTold,
    case_link,
    case_status,
    image_notice,
    work_order,
)
from sgi.hl7.statements import AssetRecorded

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hl7-specification.md"
NOW = datetime(2026, 6, 12, 13, 0, tzinfo=UTC)


def table(heading: str) -> list[list[str]]:
    """The cells of the first table whose heading begins so."""
    lines = PAGE.read_text("utf-8").split(f"\n| {heading} |", 1)[1].splitlines()[2:]
    rows = lines[: next(at for at, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def listed(heading: str) -> dict[str, str]:
    """Each of the words of the first column, with its second."""
    return {word: row[1] for row in table(heading) for word in row[0].split(", ")}


def test_messages() -> None:
    assert set(listed("MSH-9")) == set(EVENTS)


def test_profiles() -> None:
    assert {row[0]: row[1] for row in table("profile")} == {
        profile.value: transaction for profile, transaction in TRANSACTIONS.items()
    }


def test_encodings() -> None:
    assert set(listed("MSH-18")) == {charset.value for charset in Charset}


def test_places_of_the_built_in_interface() -> None:
    told = {row[0]: row[1] for row in table("what")}
    read = built_in().read
    known = {}
    for name in Read.model_fields:
        paths = getattr(read, name)
        if isinstance(paths, tuple) and paths:
            known[name] = ", ".join(
                f"{p.segment}-{p.field}" + (f".{p.component}" if p.component > 1 else "")
                for p in paths
            )
    assert told == known


def test_controls_states_and_containers() -> None:
    recorded, cancelled = (set(row[0].split(", ")) for row in table("ORC-1"))
    assert (recorded, cancelled) == (RECORDING, CANCELLING)
    codes = built_in().codes
    assert listed("ORC-25") == {code: state.value for code, state in codes.states.items()}
    assert listed("SPM-27") == {code: word.value for code, word in codes.containers.items()}
    assert {word.kind for word in AssetWord} == set(AssetKind)


def test_preparations() -> None:
    text = PAGE.read_text("utf-8")
    told = set(re.findall(r"^\| OBX-3 (\d+) \|", text, re.MULTILINE))
    assert told == {preparation.FIXATIVE, preparation.EMBEDDING, preparation.STAIN}


def test_statuses_of_reports() -> None:
    assert listed("OBX-11") == {
        letter: status.value for letter, status in reports._BY_RESULT.items()
    }


def test_conditions_of_answers() -> None:
    verdicts = [
        verdict for kind, verdict in ANSWERS.items() if issubclass(kind, errors.MessageError)
    ]
    assert set(listed("ERR-3")) == {str(verdict.condition) for verdict in verdicts}
    told = {str(verdict.application) for verdict in verdicts if verdict.application}
    assert set(listed("ERR-5")) == told


TABLES = {"sender", "events", "read", "patterns", "codes", "extemporane", "scanner", "patients"}
"""Keys of an interface that are tables of keys, beside `out`."""


def keys() -> set[str]:
    found = set()
    for name, field in Interface.model_fields.items():
        kind = field.annotation
        if name in TABLES | {"out"} and isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {f"{name}.{key}" for key in kind.model_fields}
        else:
            found.add(name)
    return found


def test_keys_of_an_interface_s_file() -> None:
    page = PAGE.with_name("integrators.md").read_text("utf-8").split("\n## Interfaces\n")[1]
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    told = [key for row in rows for key in re.findall(r"`([\w.]+)`", row)]
    assert len(told) == len(set(told))
    assert set(told) == keys() | {"like"}


def test_the_example_of_an_interface_s_file() -> None:
    page = PAGE.with_name("integrators.md").read_text("utf-8").split("\n## Interfaces\n")[1]
    (written,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    interface = parse_interface(tomllib.loads(written), "sgl.toml", "sgl")
    assert interface.slide_identifier("L00000042") == "00000042"
    assert len(interface.codes.stains["17"]) == 2
    assert interface.out.reachable


def everything(kind: type) -> dict[str, Any]:
    return dict.fromkeys(field.name for field in fields(kind))


def sent() -> dict[str, bytes]:
    """Every message of ours, with all that can be known."""
    interface = parse_interface(
        {
            "out": {
                "host": "h",
                "port": 1,
                "send": ["ORU"],
                "link": "https://h/{case}",
                "sender": {"application": "SGI", "facility": "CHU"},
                "receiver": {"application": "SGL", "facility": "CHU"},
            }
        },
        "x.toml",
        "x",
    )
    way = Envelope(interface, "C1", NOW)
    traits = Traits("A", "B", "B C", "D", "E", "F", date(1961, 2, 3), "75056", died=False)
    known = (Identifier("1", "CHU"),)
    patient = Patient(uuid.UUID(int=1), known, traits, IdentityStatus.PROVISIONAL)
    code = Code("1", "x", "L")
    case = Case(
        **(
            everything(Case)
            | {
                "id": uuid.UUID(int=2),
                "accession_number": "26P1",
                "placer_number": "D1",
                "filler_number": "F1",
                "priority": Priority.STAT,
                "pathologist": "8",
                "service": code,
            }
        )
    )
    order = WorkOrder(
        **(
            everything(WorkOrder)
            | {
                "kind": WorkKind.IHC,
                "parent_identifier": "B",
                "stains": (code,),
                "words": "x",
                "placer_number": "W1",
                "temporary_id": "T1",
                "asked_name": "R",
            }
        )
    )
    slide = SlideTold("S", "B", code, code, code)
    image = Image("1.2", "1.3", NOW)
    return {
        "LAB-104": image_notice(way, case, patient, slide, image, available=True),
        "LAB-101": case_status(way, case, patient, CaseState.SIGNED_OUT, "x"),
        "LAB-102": work_order(way, case, patient, order, slide),
        "ORU": case_link(way, case, patient, image),
    }


def test_fields_that_are_sent() -> None:
    text = PAGE.read_text("utf-8")
    heading = next(line for line in text.splitlines() if line.startswith("| segment |"))
    names = [cell.strip() for cell in heading.strip("|").split("|")][1:]
    assert set(names) == {kind.value for kind in NoticeKind}
    rows = text.split(heading)[1].splitlines()[2:10]
    told: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        segment, *cells = [cell.strip() for cell in row.strip("|").split("|")]
        for name, cell in zip(names, cells, strict=True):
            if cell:
                told[name, segment] = {int(number) for number in cell.split()}
    written: dict[tuple[str, str], set[int]] = {}
    for name, raw in sent().items():
        for segment_ in read_message(raw, built_in()):
            first = 3 if segment_.name == "MSH" else 1
            numbers = {n for n in range(first, len(segment_) + 1) if segment_.field(n)}
            written.setdefault((name, segment_.name), set()).update(numbers)
    assert told == written


def test_examples_say_what_they_are_said_to() -> None:
    blocks = re.findall(r"```hl7\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    registered, available = (read_message(block.encode(), built_in()) for block in blocks)
    reading = statements_of(registered, built_in(), NOW)
    (asset,) = [one.asset for one in reading.statements if isinstance(one, AssetRecorded)]
    assert (asset.kind, asset.identifier, asset.parent, asset.accession_number) == (
        AssetKind.SLIDE,
        "26P00042.A.01.01",
        "26P00042.A.01",
        "26P00042",
    )
    assert len(asset.stains) == 2
    assert asset.site is not None
    assert reading.ignored == []
    assert available.value("SPM-20") == "Y"
    assert available.value("SPM-18") == "20260612143012+0200"
    assert available.value("ORC-38") == available.value("SPM-30") == "26P00042"

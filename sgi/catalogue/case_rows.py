"""Rows of cases and of what they are made of, as domain objects."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from sgi.domain.case import AssetKind, Case, CaseState, Code, Glass, Priority, Specimen

KINDS = {AssetKind.SPECIMEN: "part", AssetKind.BLOCK: "block"}
"""In the table of specimens."""
_KIND_OF = {word: kind for kind, word in KINDS.items()}


def code_json(code: Code | None) -> dict[str, str | None] | None:
    """A code as it lies in the catalogue."""
    return None if code is None else {"code": code.code, "text": code.text, "system": code.system}


def codes_json(codes: tuple[Code, ...]) -> Jsonb:
    return Jsonb([code_json(code) for code in codes])


def code_of(said: dict[str, str | None] | None) -> Code | None:
    if said is None:
        return None
    return Code(said["code"] or "", said.get("text"), said.get("system"))


def codes_of(said: list[dict[str, str | None]]) -> tuple[Code, ...]:
    return tuple(code for code in map(code_of, said) if code is not None)


def _time(said: str | None) -> datetime | None:
    return None if said is None else datetime.fromisoformat(said)


_AS_THEY_ARE = set(Case.__slots__) - {"state", "priority", "service", "organs", "stains"}


def case_of(row: dict[str, Any]) -> Case:
    """Of a row of `lab_case`."""
    return Case(
        **{name: row[name] for name in _AS_THEY_ARE},
        state=CaseState(row["state"]),
        priority=Priority(row["priority"]),
        service=code_of(row["service"]),
        organs=tuple(row["organs"]),
        stains=tuple(row["stains"]),
    )


def glass_of(row: dict[str, Any]) -> Glass:
    """Of a row of `glass`."""
    return Glass(
        id=row["id"],
        establishment_id=row["establishment_id"],
        case_id=row["case_id"],
        identifier=row["identifier"],
        parent_identifier=row["parent_identifier"],
        stains=codes_of(row["stains"]),
        technique=code_of(row["technique"]),
        description=row["said"].get("description"),
        comment=row["said"].get("comment"),
        to_be_scanned=row["to_be_scanned"],
        cancelled_at=row["cancelled_at"],
        rescan_asked_at=row["rescan_asked_at"],
        rescan_reason=row["rescan_reason"],
        rescan_asked_by=row["rescan_asked_by"],
        said_at=row["said_at"],
        created_at=row["created_at"],
    )


def specimen_of(row: dict[str, Any]) -> Specimen:
    """Of a row of `specimen`."""
    said = row["said"]
    return Specimen(
        id=row["id"],
        kind=_KIND_OF[row["kind"]],
        identifier=row["identifier"],
        case_id=row["case_id"],
        parent_identifier=row["parent_identifier"],
        **{
            name: code_of(said.get(name))
            for name in (
                "specimen_type",
                "collection",
                "site",
                "laterality",
                "fixative",
                "embedding",
            )
        },
        description=said.get("description"),
        comment=said.get("comment"),
        collected_at=_time(said.get("collected_at")),
        received_at=_time(said.get("received_at")),
        cancelled_at=row["cancelled_at"],
    )

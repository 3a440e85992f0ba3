"""What is on record under the names that a message gives: whom they name, and whose they are.

`sgi.hl7.look` reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sgi.catalogue.case_rows import KINDS
from sgi.catalogue.patient_identifiers import Borne
from sgi.domain.case import Asset, AssetKind
from sgi.domain.patient import Identifier, IdentifierKind

Row = Mapping[str, Any]
"""As JSON: ids and times are text."""
Rows = Mapping[tuple[str, UUID], Row]
"""By kind and id."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose a case or an asset is."""

    id: UUID
    accession_number: str | None
    """None of an asset that waits for its case."""
    living: UUID | None
    """The living patient of the case; of an asset that waits, the one whom it was named with."""
    said_at: datetime | None
    """When that was said; None where nobody said it."""

    def is_newer_than(self, at: datetime) -> bool:
        return self.said_at is not None and self.said_at > at


@dataclass(frozen=True, slots=True)
class Seen:
    """The rows, without what says nothing new by itself."""

    rows: Rows
    names: Mapping[tuple[str, ...], UUID]
    belonging: Mapping[UUID, Belonging]
    is_label_read: bool = False
    """Some scan's label reads the name of an asset; told of what is there before."""
    is_telling_due: bool = False
    """Instances are due to be told anew; told of what is there after."""

    def bearers(self) -> dict[Identifier, Borne]:
        """All that the message's identifiers name."""
        rows = [told for (what, _), told in self.rows.items() if what == "identifier"]
        found = [
            Borne(
                UUID(told["id"]),
                UUID(told["patient_id"]),
                Identifier(told["value"], told["assigner"], IdentifierKind(told["kind"])),
                is_retired=told["retired"],
            )
            for told in rows
        ]
        return {each.identifier: each for each in found}

    def living(self, identifier: Identifier) -> UUID | None:
        """Whom it names, be it one that was merged away; None where nobody bears it."""
        record = self.bearer(identifier)
        return None if record is None else self._leads_to(record)

    def bearer(self, identifier: Identifier) -> UUID | None:
        """The record that it names, living or not; None where nobody bears it."""
        name = ("identifier", identifier.kind, identifier.assigner, identifier.value)
        found = self.names.get(name)
        return None if found is None else UUID(self.rows["identifier", found]["patient_id"])

    def patient(self, patient_id: UUID | None) -> Row | None:
        """The living one to whom a record leads."""
        if patient_id is None or ("patient", patient_id) not in self.rows:
            return None
        return self.rows.get(("patient", self._leads_to(patient_id)))

    def known_by(self, ins: Identifier | None) -> UUID | None:
        """Who is known by this INS alone, and was not merged with anybody."""
        found = None if ins is None else self.living(ins)
        return found if ins is not None and found == self.bearer(ins) else None

    def case(self, accession_number: str) -> Belonging | None:
        found = self.names.get(("case", accession_number))
        return None if found is None else self.belonging.get(found)

    def record_of(self, accession_number: str, named: UUID | None) -> UUID | None:
        """The record that a case hangs on, where `named` leads to the same patient; else `named`.

        So the case stays with whom it was ordered for, should their merge be corrected.
        """
        case = self.case(accession_number)
        row = self.patient(named)
        if case is None or row is None or UUID(row["id"]) != case.living:
            return named
        return UUID(self.rows["case", case.id]["patient_id"])

    def knows(self, asset: Asset) -> bool:
        """Whether it is on record."""
        return _name_of(asset) in self.names

    def asset(self, asset: Asset) -> Belonging | None:
        """None also where it waits for its case, and was named with nobody."""
        found = self.names.get(_name_of(asset))
        return None if found is None else self.belonging.get(found)

    def parent(self, asset: Asset) -> Belonging | None:
        """As `asset`, of what it comes from: a block before a specimen, as its case is found."""
        if asset.parent is None:
            return None
        every = [("specimen", kind, asset.parent) for kind in sorted(KINDS.values())]
        names = [name for name in every if name != _name_of(asset)]
        rows = [self.names[name] for name in names if name in self.names]
        known = [self.belonging[each] for each in rows if each in self.belonging]
        return min(known, key=lambda one: one.accession_number is None, default=None)

    def waiting(self, parent: str) -> list[tuple[str, Belonging]]:
        """By name what comes from it, waits for its case, and was named with somebody."""
        return [
            (told["name"], self.belonging[row_id])
            for (what, row_id), told in self.rows.items()
            if what == "waiting" and told["parent"] == parent and row_id in self.belonging
        ]

    def _leads_to(self, record: UUID) -> UUID:
        living: str | None = self.rows["patient", record]["merged_into"]
        return record if living is None else UUID(living)


def _name_of(asset: Asset) -> tuple[str, ...]:
    if asset.kind is AssetKind.SLIDE:
        return "glass", asset.identifier
    return "specimen", KINDS[asset.kind], asset.identifier

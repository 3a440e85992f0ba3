"""What statements are about, by the names that they give: whom to lock, and what to look at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sgi.domain.case import Asset
from sgi.domain.identification import name_of_code
from sgi.domain.patient import Identifier
from sgi.hl7.statements import (
    AssetCancelled,
    AssetRecorded,
    CaseCancelled,
    CaseRecorded,
    IdentifierChanged,
    OrderAnswered,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    ReportSaid,
    SlideScanned,
    Statement,
    WorkOrderAccepted,
)


@dataclass(slots=True)
class Subjects:
    """The names, each once."""

    identifiers: set[Identifier] = field(default_factory=set)
    accession_numbers: set[str] = field(default_factory=set)
    assets: set[str] = field(default_factory=set)
    placer_numbers: set[str] = field(default_factory=set)
    """Of work orders."""
    reports_of: set[str] = field(default_factory=set)
    """Of which cases reports are told."""

    def names(self) -> Iterator[str]:
        """Each as one text that is no other's."""
        for each in self.identifiers:
            yield f"patient {each.kind} {each.assigner} {each.value}"
        for kind, names in (
            ("case", self.accession_numbers),
            ("asset", self.assets),
            ("order", self.placer_numbers),
        ):
            yield from (f"{kind} {name}" for name in names)
        # What labels are compared by: the job that reads one takes its turn with this message.
        yield from (name_of_code(name) for name in self.assets)

    def add(self, statement: Statement) -> None:
        """Those of one statement."""
        match statement:
            case PatientSaid() | PatientsMerged() | IdentifierChanged() | PatientsLinked():
                self._add_identity(statement)
            case CaseRecorded(said, patient):
                self.accession_numbers.add(said.accession_number)
                self.identifiers.update(() if patient is None else (patient,))
            case CaseCancelled(accession_number):
                self.accession_numbers.add(accession_number)
            case AssetRecorded(asset) | AssetCancelled(asset):
                self._add_asset(asset)
            case SlideScanned(identifier):
                self.assets.add(identifier)
            case WorkOrderAccepted() | OrderAnswered() | ReportSaid():
                self._add_work(statement)

    def _add_identity(
        self, statement: PatientSaid | PatientsMerged | IdentifierChanged | PatientsLinked
    ) -> None:
        match statement:
            case PatientSaid(identity):
                self.identifiers.update(identity.identifiers)
            case PatientsMerged(identity, gone) | IdentifierChanged(identity, gone):
                self.identifiers.update((*identity.identifiers, *gone))
            case PatientsLinked(one, other):
                self.identifiers.update((*one, *other))

    def _add_asset(self, asset: Asset) -> None:
        self.assets.add(asset.identifier)
        self.assets.update(() if asset.parent is None else (asset.parent,))
        number = asset.accession_number
        self.accession_numbers.update(() if number is None else (number,))

    def _add_work(self, statement: WorkOrderAccepted | OrderAnswered | ReportSaid) -> None:
        match statement:
            case WorkOrderAccepted(placer_number, asset=asset):
                self.placer_numbers.add(placer_number)
                if asset is not None:
                    self._add_asset(asset)
            case OrderAnswered(placer_number=str(number)):
                self.placer_numbers.add(number)
            case ReportSaid(accession_number=str(number)):
                self.accession_numbers.add(number)
                self.reports_of.add(number)


def subjects_of(statements: Iterable[Statement]) -> Subjects:
    """Those of all statements of a message."""
    subjects = Subjects()
    for statement in statements:
        subjects.add(statement)
    return subjects

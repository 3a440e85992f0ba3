"""What the DICOMweb routes work with, beside what all routes do."""

from dataclasses import dataclass

from sgi.api.decoders import Decoders
from sgi.api.dicomweb.places import Places
from sgi.api.dicomweb.unpacking import Unpacking
from sgi.api.grants import Grants
from sgi.catalogue.database import Database
from sgi.keeping.records import Records
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class DicomWeb:
    """Of one process."""

    places: Places
    records: Records
    unpacking: Unpacking
    store: ObjectStore


def open_dicomweb(
    database: Database, store: ObjectStore, records: Records, grants: Grants, decoders: Decoders
) -> DicomWeb:
    return DicomWeb(Places(database, grants), records, Unpacking(decoders), store)

"""What the DICOMweb routes work with, beside what all routes do."""

from dataclasses import dataclass

from sgi.api.decoders import Decoders
from sgi.api.dicomweb.places import Places
from sgi.api.dicomweb.records import Records
from sgi.api.dicomweb.unpacking import Unpacking
from sgi.api.grants import Grants
from sgi.catalogue.database import Database
from sgi.stores import Stores
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class DicomWeb:
    """Of one process."""

    places: Places
    records: Records
    unpacking: Unpacking
    store: ObjectStore


def open_dicomweb(
    database: Database, stores: Stores, grants: Grants, decoders: Decoders
) -> DicomWeb:
    return DicomWeb(
        Places(database, grants), Records(database, stores), Unpacking(decoders), stores.warm
    )

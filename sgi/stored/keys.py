"""Where slides and what is said of them lie in the object store.

Keys are made of our own UUIDs and UIDs alone: never of a value from a file or a message.
"""

import re
from uuid import UUID

from sgi.errors import SgiError

_ZARR_KEY = re.compile(r"([0-9]{1,3}/)?zarr\.json|[0-9]{1,3}/c(/[0-9]{1,9}){3,4}")
_IDENTITY = re.compile(r"identity/([1-9][0-9]{0,6})\.json")
_UID_CHARACTERS = frozenset("0123456789.")


def _checked(sop_uid: str) -> str:
    if not 0 < len(sop_uid) <= 64 or not _UID_CHARACTERS.issuperset(sop_uid):
        raise SgiError("A UID is malformed; this is a defect of the SGI, please report it.")
    return sop_uid


def slide_folder(slide_id: UUID) -> str:
    """The beginning of all keys of a slide."""
    return f"slides/{slide_id}/"


def instance_key(slide_id: UUID, sop_uid: str) -> str:
    """The DICOM instance itself."""
    return f"{slide_folder(slide_id)}{_checked(sop_uid)}.dcm"


def cold_key(slide_id: UUID, sop_uid: str) -> str:
    """The instance as `dicom.cold` packs it, in the cold store."""
    return f"{slide_folder(slide_id)}{_checked(sop_uid)}.cold"


def frame_hashes_key(slide_id: UUID, sop_uid: str) -> str:
    """SHA-256 of each of the instance's frames, 32 bytes each, in order."""
    return f"{slide_folder(slide_id)}{_checked(sop_uid)}.sha256"


def omezarr_name(key: str) -> str:
    """An object of a stored OME-Zarr, below the slide's folder: a document, or a shard."""
    if _ZARR_KEY.fullmatch(key) is None:
        raise SgiError("A Zarr key is malformed; this is a defect of the SGI, please report it.")
    return f"ome.zarr/{key}"


def omezarr_key(slide_id: UUID, key: str) -> str:
    """An object of the slide's stored OME-Zarr."""
    return f"{slide_folder(slide_id)}{omezarr_name(key)}"


FROZEN_OF = "sgi-of-sha256"
"""Metadata of a frozen cold copy: the SHA-256 of the instance that it gives back."""
FROZEN_SHA256 = "sgi-sha256"
"""The same: of the copy itself, as it was read back before it was frozen."""
PROBE_KEY = "probe/integrity"
"""Tells whether a store that fails for one object answers at all."""
SLIDES = "slides/"
ESTABLISHMENTS = "establishments/"
HEAT_MAP = "focus.png"
MANIFEST = "manifest.json"


def heat_map_key(slide_id: UUID) -> str:
    """How sharp the slide is from place to place, as PNG."""
    return f"{slide_folder(slide_id)}{HEAT_MAP}"


def manifest_key(slide_id: UUID) -> str:
    """Everything from which the catalogue can be made again; written last."""
    return f"{slide_folder(slide_id)}{MANIFEST}"


def identity_name(revision: int) -> str:
    """What the instances say of whose they are since a revision, below the slide's folder."""
    return f"identity/{revision}.json"


def identity_revision(name: str) -> int | None:
    """Of which revision an object is, by its name below the slide's folder; None of none."""
    match = _IDENTITY.fullmatch(name)
    return None if match is None else int(match[1])


def side_object_key(slide_id: UUID, name: str) -> str:
    """An object beside the instances, by its name below the slide's folder."""
    if (
        name not in {HEAT_MAP, MANIFEST}
        and identity_revision(name) is None
        and name != omezarr_name(name.removeprefix("ome.zarr/"))
    ):
        raise SgiError("An object's name is malformed; this is a defect of the SGI.")
    return f"{slide_folder(slide_id)}{name}"


def quarantine_folder(slide_id: UUID) -> str:
    """The beginning of all keys of evidence of a slide's damage."""
    return f"quarantine/{slide_id}/"


def quarantine_key(slide_id: UUID, incident_id: UUID, name: str) -> str:
    """Damaged bytes, kept as evidence; `name` is that of the object below its slide's folder."""
    return f"{quarantine_folder(slide_id)}{incident_id}/{name}"


def establishment_folder(establishment_id: UUID) -> str:
    """The beginning of all keys of what an establishment has decided."""
    return f"establishments/{establishment_id}/"


def establishment_key(establishment_id: UUID) -> str:
    """The establishment itself."""
    return f"{establishment_folder(establishment_id)}establishment.json"


def quality_limits_key(establishment_id: UUID) -> str:
    """From where on a slide of the establishment asks for a look or a new scan."""
    return f"{establishment_folder(establishment_id)}quality.json"


def forecast_key(establishment_id: UUID) -> str:
    """What the establishment typed in for its forecast of storage and cost."""
    return f"{establishment_folder(establishment_id)}forecast.json"


def tier_policy_key(establishment_id: UUID) -> str:
    """When the establishment's slides become cold."""
    return f"{establishment_folder(establishment_id)}tiers.json"


def retention_key(establishment_id: UUID) -> str:
    """How long the establishment keeps its slides."""
    return f"{establishment_folder(establishment_id)}retention.json"


def holds_key(establishment_id: UUID, slide_id: UUID) -> str:
    """Every legal hold that the slide ever had."""
    return f"{establishment_folder(establishment_id)}holds/{slide_id}.json"


def destruction_key(establishment_id: UUID, destruction_id: UUID) -> str:
    """A destruction that is not done."""
    return f"{establishment_folder(establishment_id)}destructions/{destruction_id}.json"


def certificate_key(establishment_id: UUID, destruction_id: UUID) -> str:
    """The certificate of a destruction that is done."""
    return f"{establishment_folder(establishment_id)}certificates/{destruction_id}.json"

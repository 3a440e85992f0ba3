"""What a conversion made, to be kept beside the instances: frozen values with a JSON form."""

import json
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from dicom.models import ImageRole
from tiling.geometry import Size
from tiling.pyramid import Origin

_VERSION = 1


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """One instance of a converted slide."""

    name: str
    """Within the slide, from a fixed vocabulary: `level-0`, `label`, `overview`, `thumbnail`."""
    sop_instance_uid: str
    role: ImageRole
    level: int | None
    """0 is the base; None for label, overview and thumbnail."""
    size: Size
    tile: Size
    downsample: float | None
    """Against the base; None where `level` is."""
    origin: Origin | None
    """None for an image of the file's own that is no level."""
    transfer_syntax_uid: str
    photometric: str
    """Photometric Interpretation (0028,0004) of the frames."""
    frames: int
    size_bytes: int
    sha256: str
    """Of the whole object, in hexadecimal."""
    frames_sha256: str
    """SHA-256 of the frames' own SHA-256 digests, one after the other."""
    header_bytes: int | None = None
    """Before the first frame; None, as the next, in manifests written before it was recorded."""
    header_sha256: str | None = None
    """Of those bytes, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class SlideManifest:
    """A converted slide: its identifiers and its instances in the order they were written."""

    slide_uuid: uuid.UUID
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    pyramid_uid: str
    instances: tuple[InstanceRecord, ...]
    left_out: tuple[str, ...] = ()
    """Images of the file that cannot be decoded and have no instance of their own: `label`,
    `overview`, `thumbnail`. Manifests written before this was recorded read as none."""

    def to_json(self) -> str:
        """Stable text: the same manifest always gives the same bytes."""
        document = asdict(self) | {"slide_uuid": str(self.slide_uuid), "version": _VERSION}
        return json.dumps(document, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "SlideManifest":
        """The inverse of `to_json`; raises ValueError for anything else."""
        try:
            document = json.loads(text)
            if document.pop("version") != _VERSION:
                raise ValueError("The manifest is of another version.")
            instances = tuple(_record(item) for item in document.pop("instances"))
            slide_uuid = uuid.UUID(document.pop("slide_uuid"))
            left_out = tuple(document.pop("left_out", ()))
            return cls(slide_uuid=slide_uuid, instances=instances, left_out=left_out, **document)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("The text is not a slide manifest.") from error


def _record(item: dict[str, Any]) -> InstanceRecord:
    origin = item.pop("origin")
    return InstanceRecord(
        role=ImageRole(item.pop("role")),
        size=Size(**item.pop("size")),
        tile=Size(**item.pop("tile")),
        origin=None if origin is None else Origin(origin),
        # Manifests written before this was recorded are of colour pictures and JPEG tiles, which
        # tell for themselves.
        photometric=item.pop("photometric", "RGB"),
        **item,
    )

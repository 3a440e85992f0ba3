"""What the store is told of a converted file: a manifest a slide, from which its rows are made."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime

from sgi.domain.arrival import Arrival
from sgi.ingest.gather import Candidate
from sgi.ingest.receiver import Conversion, ConvertedScene
from sgi.stored.keys import HEAT_MAP
from sgi.stored.slide import StoredArrival, StoredPart, StoredSideObject, StoredSlide


def stored_slides(
    arrival: Arrival,
    candidate: Candidate,
    conversion: Conversion,
    establishment_name: str,
    establishment_created_at: datetime | None,
) -> list[StoredSlide]:
    """Of every scene of the file, all of one moment."""
    now = datetime.now(UTC)
    came = _arrival(arrival)
    return [
        StoredSlide(
            establishment_id=arrival.establishment_id,
            establishment_name=establishment_name,
            establishment_created_at=establishment_created_at,
            arrival_id=arrival.id,
            arrival=came,
            scene=number,
            file_name=arrival.file_name,
            source_sha256=(arrival.sha256 or b"").hex(),
            source_size_bytes=candidate.fingerprint.size_bytes,
            written_at=now,
            facts=scene.facts,
            quality=scene.quality,
            objects=tuple(_side_objects(scene)),
            manifest=scene.manifest.to_json(),
        )
        for number, scene in enumerate(conversion.scenes)
    ]


def _arrival(arrival: Arrival) -> StoredArrival:
    return StoredArrival(
        source_path=os.fsencode(arrival.source_path).hex(),
        slide_id=arrival.slide_id,
        seen_at=arrival.seen_at,
        modified_ns=arrival.fingerprint.modified_ns,
        parts=tuple(
            StoredPart(
                path=os.fsencode(part.path).hex(),
                size_bytes=part.size_bytes,
                modified_ns=part.modified_ns,
            )
            for part in arrival.parts
        ),
    )


def _side_objects(scene: ConvertedScene) -> Iterator[StoredSideObject]:
    """Of a slide, beside its manifest and the hashes of its frames."""
    if scene.heat_map is not None:
        yield StoredSideObject(
            name=HEAT_MAP,
            size_bytes=len(scene.heat_map),
            sha256=hashlib.sha256(scene.heat_map).hexdigest(),
        )
    for part in scene.zarr:
        yield StoredSideObject(name=part.name, size_bytes=part.size_bytes, sha256=part.sha256)

"""The ICC profiles of slides: as they were stored, in the header of a level."""

import asyncio
from uuid import UUID

from dicom.source.header_dataset import read_header_dataset
from dicom.source.part import first_item
from sgi.api.once import MadeOnce
from sgi.domain.slide import Slide
from sgi.keeping.records import Records
from sgi.stored.sources import HeldBytes
from tiling.colour import MOST_PROFILE_BYTES, Target, profile_of

_KEPT_BYTES = 16 << 20
_MOST_ELEMENTS = 100_000


class Profiles:
    """Profiles that were asked for lately."""

    def __init__(self, records: Records, kept_bytes: int = _KEPT_BYTES) -> None:
        self._records = records
        self._read_once: MadeOnce[UUID] = MadeOnce(kept_bytes)

    async def of(self, slide: Slide) -> bytes | None:
        """The profile that the slide's file brought; None where it brought none.

        Raises as `Records.header` does.
        """
        if not slide.facts.icc:
            return None  # what is stored then is sRGB's, which DICOM requires
        found = await self._read_once.get(slide.id, lambda: self._read(slide))
        return found or None

    async def meant_by(self, slide: Slide) -> bytes:
        """The profile that says what its colours are: sRGB's where it brought none."""
        return await self.of(slide) or profile_of(Target.SRGB)

    async def _read(self, slide: Slide) -> bytes:
        """Of the coarsest level, which stays at hand when the others go to cold storage."""
        header = await self._records.header(slide, slide.levels[-1])
        return await asyncio.to_thread(_profile, header)


def _profile(data: bytes) -> bytes:
    """Empty where there is none."""
    header = read_header_dataset(HeldBytes(data), _MOST_ELEMENTS)
    optics = first_item(header.dataset, "OpticalPathSequence")
    profile = None if optics is None else optics.get("ICCProfile")
    if not isinstance(profile, bytes) or len(profile) > MOST_PROFILE_BYTES:
        return b""
    announced = int.from_bytes(profile[:4], "big")
    return profile[:announced] if announced == len(profile) - 1 else profile  # DICOM's padding

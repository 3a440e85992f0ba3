"""Frames uncompressed, in the processes that are made for it."""

from dicom.web.transcode import uncompressed, uncompressed_bytes
from sgi.api.decoders import Decoders
from sgi.api.frames import ServedInstance
from sgi.api.slide_store import ServedSlide
from sgi.errors import UnshowableError


class Unpacking:
    """Of one process; nothing is kept, since whoever wants pixels wants each frame once."""

    def __init__(self, decoders: Decoders) -> None:
        self._decoders = decoders

    async def frame(self, served: ServedSlide, instance: ServedInstance, index: int) -> bytes:
        """Raises UnshowableError for a frame that cannot be unpacked, and as `Frames.get`."""
        if instance.encoding is None:
            raise UnshowableError("The slide's compression is not known here.")
        frame = await served.frame(instance, index)
        return await self._decoders.run(
            uncompressed,
            frame,
            instance.encoding,
            instance.order.grid.tile,
            instance.pixel_format,
            slide=instance.slide_id,
            program=True,
        )

    @staticmethod
    def length(instance: ServedInstance) -> int:
        """Bytes of every frame."""
        return uncompressed_bytes(instance.order.grid.tile, instance.pixel_format)

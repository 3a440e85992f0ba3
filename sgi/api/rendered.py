"""Stored frames as a browser shows them: untouched where it can, else unpacked and kept a while."""

from sgi.api.decoders import Decoders
from sgi.api.frames import ServedInstance
from sgi.api.layer import Layer
from sgi.api.once import MadeOnce
from sgi.api.profiles import Profiles
from sgi.api.slide_store import ServedSlide
from sgi.errors import UnshowableError
from tiling.colour import Target, with_profile
from tiling.composite import Window
from tiling.rendering import render_tile

_KEPT_BYTES = 64 << 20


class Rendered:
    """Tiles for browsers."""

    def __init__(
        self, decoders: Decoders, profiles: Profiles, kept_bytes: int = _KEPT_BYTES
    ) -> None:
        self._decoders = decoders
        self._profiles = profiles
        self._made = MadeOnce[tuple[str, int, Window | None, Target | None]](kept_bytes)

    async def tile(
        self, served: ServedSlide, instance: ServedInstance, frame_index: int, layer: Layer
    ) -> bytes:
        """A frame as JPEG; the layer's window replaces the one of its optical path.

        Raises UnshowableError for a frame that cannot be unpacked, and as `Frames.get`.
        """
        window, target = layer.window, layer.target
        if target is not None and instance.pixel_format.samples == 1:
            target = None  # the colours of light are a choice: there is nothing to convert
        if instance.is_shown_as_it_is and target is None:
            return await served.frame(instance, frame_index)
        if instance.is_shown_as_it_is and target is Target.SRGB and not served.slide.facts.icc:
            return with_profile(await served.frame(instance, frame_index), target)
        key = (instance.key, frame_index, window, target)
        return await self._made.get(
            key, lambda: self._make(served, instance, frame_index, window, target)
        )

    async def _make(
        self,
        served: ServedSlide,
        instance: ServedInstance,
        frame_index: int,
        window: Window | None,
        target: Target | None,
    ) -> bytes:
        if instance.encoding is None:
            raise UnshowableError("The slide's compression is not known here.")
        if window is None:
            window = instance.windows[instance.order.position(frame_index).path]
        return await self._decoders.run(
            render_tile,
            await served.frame(instance, frame_index),
            instance.encoding,
            instance.order.grid.tile,
            instance.pixel_format,
            window,
            None if target is None else await self._profiles.meant_by(served.slide),
            target,
            slide=instance.slide_id,
        )

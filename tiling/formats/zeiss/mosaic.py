"""Subblocks of one resolution, laid on each other as the microscope laid them."""

import numpy as np

from tiling.errors import SlideTooLargeError
from tiling.formats.zeiss.directory import Subblocks
from tiling.formats.zeiss.pixels import UNCOMPRESSED, Stored, SubblockPixels
from tiling.formats.zeiss.rectangles import Rectangle, Rectangles
from tiling.geometry import Size
from tiling.slide import Samples

_MOST_PIXELS = 1 << 28
"""Of all compressed subblocks that lie in one area; a camera's, overlapping, have a tenth of it."""
_MOST_SUBBLOCKS = 4096
"""That lie in one area: each needs a read."""


def extents(subblocks: Subblocks, origin: tuple[int, int]) -> Rectangles:
    """The places that subblocks take, in the file's pixels from `origin` (x, y)."""
    left, top = subblocks["x"] - origin[0], subblocks["y"] - origin[1]
    return Rectangles(left, top, left + subblocks["columns"], top + subblocks["rows"])


class Mosaic:
    """The subblocks of one level in one channel and focal plane."""

    def __init__(self, subblocks: Subblocks, origin: tuple[int, int], downsample: int) -> None:
        """`origin` is the slide's upper left in the file's pixels, `downsample` the size of the
        level's pixels in those.
        """
        # A higher number lies above; without one, what comes later in the directory does.
        self._subblocks = subblocks[np.argsort(subblocks["M"], kind="stable")]
        places = extents(self._subblocks, origin)
        left, top = places.left // downsample, places.top // downsample
        # What is stored beyond the place that a subblock takes is none of the image.
        columns, rows = (
            np.minimum(self._subblocks[f"stored_{side}"], -(-self._subblocks[side] // downsample))
            for side in ("columns", "rows")
        )
        self._places = Rectangles(left, top, left + columns, top + rows)

    @property
    def reach(self) -> tuple[int, int]:
        """Columns and rows from the slide's upper left to the last pixel."""
        return int(self._places.right.max()), int(self._places.bottom.max())

    def paint(self, canvas: Samples, area: Rectangle, pixels: SubblockPixels) -> bool:
        """Lay what there is of an area onto `canvas`; False where there is nothing.

        Raises what reading pixels does, and SlideTooLargeError when absurdly many lie there.
        """
        touching = self._places.touching(area)
        here = self._subblocks[touching]
        packed = here[here["compression"] != UNCOMPRESSED]
        area_of_packed = packed["stored_columns"].astype(float) * packed["stored_rows"]
        if len(here) > _MOST_SUBBLOCKS or (len(here) > 1 and area_of_packed.sum() > _MOST_PIXELS):
            raise SlideTooLargeError(
                "The file lays absurdly many images over each other; it is refused."
            )
        for index, subblock in zip(touching, here, strict=True):
            place = self._places[int(index)]
            seen = place.within(area)
            part = Rectangle(
                seen.left - place.left,
                seen.top - place.top,
                seen.right - place.left,
                seen.bottom - place.top,
            )
            samples = pixels.read(_stored(subblock), part)
            left, top = seen.left - area.left, seen.top - area.top
            canvas[top : top + samples.shape[0], left : left + samples.shape[1]] = samples
        return bool(len(touching))


def _stored(subblock: np.void) -> Stored:
    return Stored(
        position=int(subblock["position"]),
        size=Size(int(subblock["stored_columns"]), int(subblock["stored_rows"])),
        pixel_type=int(subblock["pixel_type"]),
        compression=int(subblock["compression"]),
        axes=int(subblock["axes"]),
    )

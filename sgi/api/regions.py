"""Regions of slides as pictures, for whoever does not look at tiles: IIIF, DeepZoom, WADO-RS.

A picture is made of the tiles that it shows, of the nearest level, in processes of its own: those
that unpack tiles for viewers never wait for it. How much one may take is bounded before any of its
tiles is read.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dicom.transfer_syntax import encoding_of
from sgi.api.decoders import Decoders
from sgi.api.frames import ServedInstance
from sgi.api.once import MadeOnce
from sgi.api.overload import Gate
from sgi.api.profiles import Profiles
from sgi.api.slide_store import ServedSlide
from sgi.domain.slide import Slide
from sgi.errors import NotFoundError, PictureTooLargeError, UnshowableError
from tiling.composite import Window, colours_of
from tiling.geometry import Size
from tiling.picture import Kind, Layer, Look, draw_picture
from tiling.region import Cut, Region, cut_region
from tiling.slide import Codec, Illumination, Level, OpticalPath, plane_shown_first

MOST_PIXELS = 1 << 23
"""Of a picture: 4096 x 2048."""
LONGEST_SIDE = 8192

_MOST_UNPACKED_QUICKLY, _MOST_UNPACKED = 1 << 26, 1 << 25
"""Pixels of the tiles that one picture takes, of JPEG and of other codecs: some seconds of work."""
_LONGEST_S = 30.0
_WAITING = 64
_LONGEST_WAIT_S = 60.0
_MOST_BYTES = 96 << 20
"""Of those tiles as they are stored."""
_MOST_TILES = 4096
_SPARE = 0.6
"""The share of these bounds that is offered: the tiles at the edge are taken whole."""
_READ_AT_ONCE = 32
_KEPT_BYTES = 64 << 20
_PROCESSES = 2
_VERSION = 2
"""Of what is drawn: raise it when the same request gives other bytes."""

PLAIN = Look()
"""A JPEG of the pixels as they are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture of a slide."""

    region: Region
    size: Size
    look: Look = PLAIN
    """Without a profile: the slide's own is put in where there is a target."""
    path: int | None = None
    """An optical path; None for the light of all of them, of colours for the first."""
    plane: int | None = None
    """A focal plane; None for the one that is shown first."""
    window: Window | None = None
    """For light: replaces the window of `path`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What every picture of a slide may have, if it is not distorted."""

    longest_side: int
    pixels: int


class Regions:
    """Pictures of regions."""

    def __init__(
        self, profiles: Profiles, decoders: Decoders | None = None, kept_bytes: int = _KEPT_BYTES
    ) -> None:
        self._profiles = profiles
        self._decoders = decoders or Decoders(_PROCESSES, _LONGEST_S)
        self._made: MadeOnce[tuple[object, ...]] = MadeOnce(kept_bytes)
        self._turns = Gate(_PROCESSES, max(1, _PROCESSES - 1), _WAITING, _LONGEST_WAIT_S)

    def close(self) -> None:
        """End the processes."""
        self._decoders.close()

    async def picture(self, served: ServedSlide, asked: Asked) -> bytes:
        """The picture as a file; a stored tile itself where that is what was asked for.

        Raises PictureTooLargeError, NotFoundError for a path or a plane that is not there,
        BusyError, UnshowableError and TilingError for a slide that cannot be unpacked, and as
        `Frames.get`.
        """
        slide = served.slide
        if asked.look.target is not None and slide.facts.samples == 1:
            # The colours of light are a choice: there is nothing to convert.
            asked = replace(asked, look=replace(asked.look, target=None))
        levels = levels_of(slide)
        cut = cut_region(levels, asked.region, asked.size)
        paths, plane = _layers(slide, asked)
        if not _fits(slide, cut, len(paths)):
            largest = _largest(slide, asked, len(paths))
            raise PictureTooLargeError("Too many tiles.", largest.columns, largest.rows)
        instance = await served.level(cut.level)
        if instance.is_shown_as_it_is and asked.look == PLAIN:
            tile = cut.tile_alone(instance.order.grid.tile)
            if tile is not None and instance.order.grid.visible(*tile) == asked.size:
                index = instance.order.frame_index(*tile, paths[0], plane)
                return await served.frame(instance, index)
        drawing = _Drawing(served, instance, cut, asked, paths, plane)
        return await self._made.get((slide.id, asked), lambda: self._draw(drawing))

    async def _draw(self, drawing: "_Drawing") -> bytes:
        instance, asked, slide = drawing.instance, drawing.asked, drawing.served.slide
        if instance.encoding is None:
            raise UnshowableError("The slide's compression is not known here.")
        look = asked.look
        if look.target is not None:
            look = replace(look, profile=await self._profiles.meant_by(slide))
        colours = _colours(slide)
        # Before the tiles are read, which are held until it is drawn.
        async with self._turns.turn(slide.id):
            layers = [
                Layer(
                    await _frames(drawing, path),
                    asked.window or instance.windows[path],
                    colours[path],
                )
                for path in drawing.paths
            ]
            kind = Kind(instance.encoding, instance.pixel_format)
            level = levels_of(slide)[drawing.cut.level]
            try:
                return await self._decoders.run(
                    draw_picture, drawing.cut, level, kind, layers, look, slide=instance.slide_id
                )
            except MemoryError as error:
                raise UnshowableError("A picture takes too much memory; ask for less.") from error


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A picture that is to be made, with all that was found out about it."""

    served: ServedSlide
    instance: ServedInstance
    cut: Cut
    asked: Asked
    paths: Sequence[int]
    plane: int


async def _frames(drawing: _Drawing, path: int) -> list[bytes]:
    """The tiles of one path; in small parties, so that neighbours share one read of the store."""
    order, served = drawing.instance.order, drawing.served
    places = [order.frame_index(*place, path, drawing.plane) for place in drawing.cut.positions()]
    read: list[bytes] = []
    for begin in range(0, len(places), _READ_AT_ONCE):
        party = places[begin : begin + _READ_AT_ONCE]
        read += await asyncio.gather(*(served.frame(drawing.instance, place) for place in party))
        if sum(map(len, read)) > 2 * _MOST_BYTES:
            raise UnshowableError("The tiles of a picture take more bytes than they should.")
    return read


def etag_of(slide: Slide, asked: Asked) -> str:
    """The same for the same picture."""
    stem = slide.levels[0].sop_uid
    return f'"{hashlib.sha256(f"{_VERSION} {stem} {asked}".encode()).hexdigest()[:32]}"'


def bounds_of(slide: Slide) -> Bounds:
    """Smaller where levels lie far apart: more has to be unpacked for each pixel that is shown."""
    levels = levels_of(slide)
    widest = max(
        (up.downsample / low.downsample for low, up in pairwise(levels)),
        default=1.0,
    )
    paths = len(slide.facts.optical_paths) if slide.facts.samples == 1 else 1
    pixels = int(_SPARE * _most_unpacked(slide) / (widest**2 * paths))
    return Bounds(LONGEST_SIDE, max(1, min(MOST_PIXELS, pixels)))


def levels_of(slide: Slide) -> Sequence[Level]:
    """The pyramid as it is stored, base first."""
    return [
        Level(
            Size(level.columns, level.rows),
            Size(level.tile_columns, level.tile_rows),
            level.downsample,
        )
        for level in slide.levels
    ]


def _most_unpacked(slide: Slide) -> int:
    """Pixels of tiles, blank ones included, that one picture may take of all its paths."""
    facts, stored = slide.facts, slide.levels
    encoding = encoding_of(stored[0].transfer_syntax, stored[0].photometric, facts.samples)
    quick = encoding is not None and encoding.codec is Codec.JPEG
    layers = len(facts.optical_paths) * len(facts.focal_planes_um)
    pixels = sum(level.columns * level.rows for level in stored) * layers
    stored_bytes = sum(level.size_bytes for level in stored)
    smallest_tile = min(level.tile_columns * level.tile_rows for level in stored)
    return min(
        _MOST_UNPACKED_QUICKLY if quick else _MOST_UNPACKED,
        _MOST_BYTES * pixels // stored_bytes,
        _MOST_TILES * smallest_tile,
    )


def _fits(slide: Slide, cut: Cut, paths: int) -> bool:
    tile = levels_of(slide)[cut.level].tile
    return cut.tiles * paths * tile.area <= max(_most_unpacked(slide), paths * tile.area)


def _largest(slide: Slide, asked: Asked, paths: int) -> Size:
    """A size of the same shape that fits, nearly the largest."""
    size, levels = asked.size, levels_of(slide)
    while size.area > 1 and not _fits(slide, cut_region(levels, asked.region, size), paths):
        size = Size(max(1, size.columns * 9 // 10), max(1, size.rows * 9 // 10))
    return size


def _layers(slide: Slide, asked: Asked) -> tuple[Sequence[int], int]:
    """The optical paths and the focal plane that are shown; raises NotFoundError."""
    facts = slide.facts
    count, heights = len(facts.optical_paths), facts.focal_planes_um
    plane = plane_shown_first(heights) if asked.plane is None else asked.plane
    if not 0 <= (asked.path or 0) < count or not 0 <= plane < len(heights):
        raise NotFoundError("The slide has no such light or focal plane.")
    if asked.path is not None:
        return (asked.path,), plane
    return (range(count) if facts.samples == 1 else (0,)), plane


def _colours(slide: Slide) -> list[tuple[int, int, int]]:
    return colours_of(
        [
            OpticalPath(path.name, Illumination(path.illumination), path.colour)
            for path in slide.facts.optical_paths
        ]
    )

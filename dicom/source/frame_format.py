"""What the frames of one file are made of, and how they become tiles."""

from dataclasses import dataclass, replace

import numpy as np

from dicom.errors import UnsupportedInstanceError
from dicom.source.part import Part
from dicom.transfer_syntax import encoding_of
from tiling.codecs import frames, jpeg, jpeg2000, segments
from tiling.codecs.prefix import FramePrefix
from tiling.codecs.segments import iter_segments, parse_frame_header
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, Samples, TileEncoding

_PLANES_APART = 1
_WAVELET = frozenset({Codec.JPEG_2000, Codec.JPEG_2000_LOSSLESS, Codec.HTJ2K, Codec.HTJ2K_LOSSLESS})
_HAVE_YCBCR = frozenset({Codec.JPEG_EXTENDED, Codec.JPEG_XL_OF_JPEG})
"""Codecs beside baseline JPEG whose YCbCr DICOM has a name for (PS3.3 C.8.12.4.1.5)."""


@dataclass(frozen=True, slots=True)
class FrameFormat:
    """The frames of one part."""

    tile: Size
    pixel_format: PixelFormat
    decoding: TileEncoding
    """What a frame is, once its samples are interleaved and its prefix is in."""
    handed_on: bool
    """Whether a frame is a tile as it is: false where its samples have to be changed."""
    prefix: FramePrefix | None = None
    planes_apart: bool = False
    """Planar Configuration 1: all red samples, then all green, then all blue."""
    inverted: bool = False
    """MONOCHROME1: 0 is the brightest."""
    becomes_ict: bool = False
    """YCbCr in JPEG 2000 whose stream only fails to say so."""

    @classmethod
    def of(cls, part: Part) -> "FrameFormat":
        """By the header, and by the first frame where the header tells too little or lies.

        Raises UnsupportedInstanceError for pixels that are not read here, DamagedSlideError where
        the first frame is not what the header says.
        """
        header = part.header
        photometric = header.photometric
        inverted = photometric == "MONOCHROME1"
        encoding = encoding_of(
            header.transfer_syntax_uid,
            "MONOCHROME2" if inverted else photometric,
            header.samples_per_pixel,
        )
        if encoding is None:
            raise UnsupportedInstanceError(
                f"Pixels in {_plain(photometric)} are not read in the transfer syntax "
                f"{header.transfer_syntax_uid}."
            )
        if encoding.codec is Codec.JPEG:
            return _of_jpeg(part, encoding, inverted=inverted)
        format_ = cls(
            header.tile,
            part.pixel_format,
            encoding,
            handed_on=not inverted
            and (encoding.colour is not Colour.YCBCR or encoding.codec in _HAVE_YCBCR),
            planes_apart=not header.encapsulated
            and header.planar_configuration == _PLANES_APART
            and header.samples_per_pixel > 1,
            inverted=inverted,
        )
        if encoding.codec is Codec.JPEG_EXTENDED:
            return format_._of_extended(part.frame(0))
        return format_._of_wavelets(part.frame(0)) if encoding.codec in _WAVELET else format_

    def tile_of(self, frame: bytes) -> bytes:
        """The frame as `decoding` has it."""
        if self.planes_apart:
            return self._interleaved(frame)
        if self.becomes_ict:
            return jpeg2000.declare_ict(frame)
        return frame if self.prefix is None else self.prefix.apply(frame)

    @property
    def longer_by(self) -> int:
        """Bytes by which `tile_of` gives more than the frame has."""
        return 0 if self.prefix is None else len(self.prefix)

    def decode(self, frame: bytes) -> Samples:
        """`(rows, columns, samples)`; raises DamagedSlideError like `frames.decode`."""
        samples = self._unpack(self.tile_of(frame))
        brightest = self.pixel_format.brightest
        if self.pixel_format.bits not in (8, 16) and int(samples.max()) > brightest:
            raise DamagedSlideError(
                "A frame has samples of more bits than its file says; export the slide again."
            )
        return brightest - samples if self.inverted else samples

    def _unpack(self, tile: bytes) -> Samples:
        if self.decoding.codec is not Codec.JPEG or self.handed_on:
            return frames.decode(tile, self.decoding, self.tile, self.pixel_format)
        # Perhaps progressive, or RGB with subsampled chroma: decodable, though no tile as it is.
        pixels = jpeg.decode(tile)
        if pixels.shape[:2] != (self.tile.rows, self.tile.columns):
            raise DamagedSlideError("A frame differs in size from its image; export it again.")
        return pixels[:, :, : self.pixel_format.samples]

    def _of_extended(self, first: bytes) -> "FrameFormat":
        """With the subsampling that a JPEG stream itself names; only YCbCr is ever subsampled."""
        header = parse_frame_header(first)
        colour = self.decoding.colour
        if colour is Colour.RGB and header.subsampling != (1, 1):
            colour = header.decoded_as
        encoding = TileEncoding(colour, header.subsampling, self.decoding.codec)
        whole = header.subsampling is not None and (
            colour is not Colour.RGB or header.subsampling == (1, 1)
        )
        return replace(self, decoding=encoding, handed_on=self.handed_on and whole)

    def _of_wavelets(self, first: bytes) -> "FrameFormat":
        """With the component transform that a JPEG 2000 stream itself names.

        Some files say RGB of a transformed stream, since that is what a decoder gives.
        """
        header = jpeg2000.parse_header(first)
        colour = self.decoding.colour
        if colour is Colour.GREY:
            return self
        if colour is Colour.YCBCR and header.can_become_ict:
            encoding = TileEncoding(Colour.ICT, codec=self.decoding.codec)
            return replace(self, decoding=encoding, handed_on=True, becomes_ict=True)
        if header.component_transform:
            colour = Colour.RCT if header.reversible else Colour.ICT
        elif colour is not Colour.YCBCR:
            colour = Colour.RGB
        encoding = TileEncoding(colour, codec=self.decoding.codec)
        return replace(self, decoding=encoding, handed_on=colour is not Colour.YCBCR)

    def _interleaved(self, frame: bytes) -> bytes:
        samples = self.pixel_format.samples
        planes = np.frombuffer(frame, f"<u{np.dtype(self.pixel_format.dtype).itemsize}")
        if planes.size != samples * self.tile.area:
            raise DamagedSlideError("A frame is cut short; copy the file again from the scanner.")
        planes = planes.reshape(samples, self.tile.rows, self.tile.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0)).tobytes()


def _of_jpeg(part: Part, encoding: TileEncoding, *, inverted: bool) -> FrameFormat:
    """The stream says how chroma is subsampled, and what its samples are when it names them.

    Many files that say RGB hold YCbCr, and mean what a decoder gives: JFIF allows nothing else,
    and only YCbCr is subsampled.
    """
    first = part.frame(0)
    header = parse_frame_header(first)
    samples = part.pixel_format.samples
    if len(header.components) != samples or part.pixel_format.bits != 8:
        raise DamagedSlideError(
            "The frames have other colours than their file says; export the slide again."
        )
    colour = encoding.colour
    if samples == 3 and (_names_colour(first) or header.subsampling != (1, 1)):
        colour = header.decoded_as
    subsampling = header.subsampling
    whole = header.is_baseline and subsampling is not None
    if colour is Colour.RGB:
        whole = whole and subsampling == (1, 1)
    return FrameFormat(
        part.header.tile,
        part.pixel_format,
        TileEncoding(colour, subsampling or (1, 1)),
        handed_on=whole and not inverted,
        prefix=FramePrefix.of_level(None, first, colour) if samples == 3 else None,
        inverted=inverted,
    )


def _names_colour(stream: bytes) -> bool:
    """Whether a stream says itself what its samples are."""
    return any(
        segments.is_jfif(segment, stream) or segments.is_adobe(segment, stream)
        for segment in iter_segments(stream)
    )


def _plain(photometric: str) -> str:
    """A value of the file as far as it may be shown."""
    return photometric if photometric.replace("_", "").isalnum() else "an unknown form"

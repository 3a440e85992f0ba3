"""JPEG tiles that DICOM cannot hold as they are: the slide is taken all the same, re-encoded."""

import io
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from dicom.conversion import convert
from dicom.models import SlideIdentity
from dicom.testing import MemoryTarget
from tiling.codecs.segments import SOF0_BASELINE, SOS, iter_segments, parse_frame_header
from tiling.pyramid import Origin, build_pyramid
from tiling.registry import open_slide
from tiling.slide import Colour, Pixels, TileEncoding
from tiling.svs import SvsOptions, abbreviate, write_svs
from tiling.testing import draw_pattern

BASE = draw_pattern(600, 500)
TILE = 256


def progressive(tile: Pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(tile).save(stream, "JPEG", progressive=True, quality=90, subsampling=0)
    assert parse_frame_header(stream.getvalue()).marker != SOF0_BASELINE
    return stream.getvalue()


def subsampled_rgb(tile: Pixels) -> bytes:
    """Red, green and blue kept as they are, where encoders expect YCbCr; Adobe's mark tells."""
    stream = io.BytesIO()
    samples = Image.frombytes("YCbCr", (tile.shape[1], tile.shape[0]), tile.tobytes())
    samples.save(stream, "JPEG", quality=90, subsampling="4:2:0")
    tables, rest = abbreviate(stream.getvalue())
    adobe_rgb = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    found = tables[:2] + adobe_rgb + tables[2:-2] + rest[2:]
    header = parse_frame_header(found)
    assert (header.decoded_as, header.subsampling) == (Colour.RGB, (2, 2))
    return found


def named_as_aperio_does(tile: Pixels) -> bytes:
    """Components 0, 1, 2 and no colour marker: nothing in the stream calls it RGB."""
    stream = bytearray(subsampled_rgb(tile))
    del stream[2:18]
    for segment in iter_segments(bytes(stream)):
        first, step = {SOF0_BASELINE: (10, 3), SOS: (5, 2)}.get(segment.marker, (0, 0))
        for number in range(3 if step else 0):
            stream[segment.start + first + step * number] = number
    assert parse_frame_header(bytes(stream)).decoded_as is Colour.YCBCR
    return bytes(stream)


def write(path: Path, encode: Callable[[Pixels], bytes], photometric: str) -> None:
    padded = np.pad(BASE, ((0, -BASE.shape[0] % TILE), (0, -BASE.shape[1] % TILE), (0, 0)), "edge")
    tiles = (
        encode(np.ascontiguousarray(padded[top : top + TILE, left : left + TILE]))
        for top in range(0, padded.shape[0], TILE)
        for left in range(0, padded.shape[1], TILE)
    )
    tifffile.imwrite(
        path,
        tiles,
        shape=BASE.shape,
        dtype=np.uint8,
        tile=(TILE, TILE),
        compression="jpeg",
        compressionargs={"outcolorspace": photometric},
        photometric=photometric,
        subsampling=(1, 1) if photometric == "ycbcr" else None,
        description="Aperio Image Library v12.0.15 \r\n600x500|AppMag = 20|MPP = 0.5",
        metadata=None,
        software=False,
    )


def grey(path: Path) -> None:
    write_svs(path, BASE, SvsOptions(encoding=TileEncoding(Colour.GREY), factors=(1,)))


@pytest.mark.parametrize(
    "write_slide",
    [
        grey,
        lambda path: write(path, progressive, "ycbcr"),
        lambda path: write(path, subsampled_rgb, "rgb"),
        lambda path: write(path, named_as_aperio_does, "rgb"),
    ],
    ids=["grey", "progressive", "subsampled RGB", "subsampled RGB by Aperio's names"],
)
def test_it_is_converted_with_openslides_pixels(
    tmp_path: Path, write_slide: Callable[[Path], None]
) -> None:
    # Arrange
    path = tmp_path / "rare.svs"
    write_slide(path)
    # Act
    reader = open_slide(path)
    levels = build_pyramid(reader, tmp_path)
    target = MemoryTarget()
    manifest = convert(reader, levels, SlideIdentity(uuid.uuid4()), target).manifest
    # Assert
    assert reader.levels[0].encoding is None
    assert manifest.instances[0].origin is Origin.RE_ENCODED
    expected = BASE[:256, :256].astype(int)
    if write_slide is grey:
        expected = np.repeat(expected[:, :, :1], 3, axis=2)
    assert np.abs(reader.read_tile(0, 0, 0)[:256, :256] - expected).mean() < 6

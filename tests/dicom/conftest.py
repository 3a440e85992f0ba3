"""A small slide made of generated pixels, so that no scanner's file is needed."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from dicom.conversion import ConvertedSlide, convert
from dicom.models import Patient, Sex, SlideIdentity, Study
from dicom.targets import DirectoryTarget
from tiling.codecs.frames import decode
from tiling.geometry import Size
from tiling.pyramid import Origin
from tiling.slide import (
    BRIGHTFIELD_PATH,
    RGB8,
    AssociatedKind,
    Colour,
    Level,
    OpticalPath,
    PixelFormat,
    Pixels,
    Samples,
    SlideMetadata,
    TileEncoding,
)
from tiling.tile_order import TileOrder

JPEG_422 = TileEncoding(Colour.YCBCR, (2, 1))
TILE = Size(columns=64, rows=48)


def tissue(size: Size, seed: int = 1) -> Pixels:
    """Smooth colours with some noise: something JPEG changes a little."""
    y, x = np.mgrid[0 : size.rows, 0 : size.columns]
    wave = np.stack([np.sin(x / 17), np.sin(y / 13), np.sin((x + y) / 29)], axis=-1)
    noise = np.random.default_rng(seed).normal(0, 4, wave.shape)
    return np.clip(170 + 60 * wave + noise, 0, 255).astype(np.uint8)


def encode_tile(pixels: Pixels, encoding: TileEncoding) -> bytes:
    if encoding.colour is Colour.RGB:
        # libjpeg marks RGB with Adobe's APP14, transform 0.
        return imagecodecs.jpeg8_encode(
            pixels, level=90, colorspace="RGB", outcolorspace="RGB", subsampling="444"
        )
    names = {(1, 1): "444", (2, 1): "422", (2, 2): "420"}
    return imagecodecs.jpeg8_encode(pixels, level=80, subsampling=names[encoding.subsampling])


@dataclass(frozen=True)
class FakeLevel:
    picture: Pixels
    downsample: float = 1.0
    encoding: TileEncoding = JPEG_422
    origin: Origin = Origin.PASSED_THROUGH
    tile: Size = TILE
    encoded: list[bytes] = field(default_factory=list)
    pixel_format: PixelFormat = RGB8
    lossy_before: bool = True
    from_pixels: bool = False

    def __post_init__(self) -> None:
        grid = Level(self.size, self.tile, self.downsample).grid
        for column, row in grid.positions():
            tile = np.full((self.tile.rows, self.tile.columns, 3), 255, np.uint8)
            part = self.picture[row * self.tile.rows :, column * self.tile.columns :]
            part = part[: self.tile.rows, : self.tile.columns]
            tile[: part.shape[0], : part.shape[1]] = part
            self.encoded.append(encode_tile(tile, self.encoding))

    @property
    def size(self) -> Size:
        return Size(columns=self.picture.shape[1], rows=self.picture.shape[0])

    @property
    def frame_lengths(self) -> NDArray[np.int64]:
        return np.array([len(frame) for frame in self.encoded], dtype=np.int64)

    @property
    def order(self) -> TileOrder:
        return TileOrder(Level(self.size, self.tile, self.downsample).grid)

    def frame(self, frame_index: int) -> bytes:
        return self.encoded[frame_index]

    def pixels(self, column: int, row: int, path: int = 0, plane: int = 0) -> Samples:
        frame = self.encoded[self.order.frame_index(column, row, path, plane)]
        return decode(frame, self.encoding, self.tile, self.pixel_format)

    def frames(self) -> Iterator[bytes]:
        return iter(self.encoded)


@dataclass(frozen=True)
class FakeSlide:
    """Only what the conversion asks of a reader."""

    levels: Sequence[Level]
    metadata: SlideMetadata
    images: Mapping[AssociatedKind, Pixels]
    format: str = "Fake"
    pixel_format: PixelFormat = RGB8
    optical_paths: Sequence[OpticalPath] = (BRIGHTFIELD_PATH,)
    focal_planes_um: Sequence[float] = (0.0,)

    @property
    def associated(self) -> Mapping[AssociatedKind, Size]:
        return {
            kind: Size(columns=pixels.shape[1], rows=pixels.shape[0])
            for kind, pixels in self.images.items()
        }

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        return self.images[kind]

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        raise NotImplementedError

    def close(self) -> None: ...


METADATA = SlideMetadata(
    pixel_spacing_mm=(0.0005, 0.00049),
    objective_power=20.0,
    scanned_at=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
    manufacturer="Maker\\with a backslash",
    model="Modèle 3",
    serial_number="SN 1",
    software="9.1",
)
"""A file that says everything."""

IDENTITY = SlideIdentity(
    slide_uuid=uuid.UUID("11111111-2222-4333-8444-555555555555"),
    container_identifier="24H01234-A-1-1",
    specimen_identifiers=("24H01234-A-1",),
    patient=Patient("Dûpont^Élise", "42", datetime(1970, 1, 2, tzinfo=UTC).date(), Sex.FEMALE),
    study=Study(accession_number="24H01234", identifier="24H01234"),
)
BARE_IDENTITY = SlideIdentity(uuid.UUID("99999999-2222-4333-8444-555555555555"))


def make_levels(encoding: TileEncoding, origin: Origin = Origin.PASSED_THROUGH) -> list[FakeLevel]:
    base = tissue(Size(columns=300, rows=200))
    return [
        FakeLevel(base, 1.0, encoding, origin),
        FakeLevel(base[::2, ::2], 2.0, encoding, origin),
        FakeLevel(base[::4, ::4], 4.0, encoding, Origin.BUILT),
    ]


def make_slide(metadata: SlideMetadata = METADATA, *, thumbnail: bool = False) -> FakeSlide:
    images = {
        AssociatedKind.LABEL: tissue(Size(columns=61, rows=71), 2),
        AssociatedKind.OVERVIEW: tissue(Size(columns=151, rows=51), 3),
    }
    if thumbnail:
        images[AssociatedKind.THUMBNAIL] = tissue(Size(columns=75, rows=50), 4)
    levels = [Level(Size(columns=300, rows=200), TILE, 1.0)]
    return FakeSlide(levels, metadata, images)


@dataclass(frozen=True)
class Converted:
    """A slide in a folder, with what it was made from."""

    directory: Path
    levels: list[FakeLevel]
    slide: FakeSlide
    result: ConvertedSlide

    @property
    def paths(self) -> list[Path]:
        return sorted(self.directory.iterdir())


CASES = {
    "jpeg-422": (TileEncoding(Colour.YCBCR, (2, 1)), METADATA, IDENTITY),
    "jpeg-420": (TileEncoding(Colour.YCBCR, (2, 2)), METADATA, IDENTITY),
    "jpeg-rgb": (TileEncoding(Colour.RGB), METADATA, IDENTITY),
    "nothing-known": (TileEncoding(Colour.YCBCR, (2, 2)), SlideMetadata(), BARE_IDENTITY),
}


@pytest.fixture(scope="session", params=CASES)
def converted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Converted:
    encoding, metadata, identity = CASES[request.param]
    levels, slide = make_levels(encoding), make_slide(metadata)
    directory = tmp_path_factory.mktemp(request.param)
    result = convert(slide, levels, identity, DirectoryTarget(directory))
    return Converted(directory, levels, slide, result)


@pytest.fixture(scope="session")
def plain_slide() -> FakeSlide:
    return make_slide()


@pytest.fixture(scope="session")
def plain_levels() -> list[FakeLevel]:
    return make_levels(TileEncoding(Colour.YCBCR, (2, 2)))


@pytest.fixture(scope="session")
def re_encoded_levels(plain_levels: list[FakeLevel]) -> list[FakeLevel]:
    return [
        replace(level, origin=Origin.RE_ENCODED, encoded=[]) if number < 2 else level
        for number, level in enumerate(plain_levels)
    ]


@pytest.fixture(scope="session")
def identity() -> SlideIdentity:
    return IDENTITY


@pytest.fixture(scope="session")
def bare_identity() -> SlideIdentity:
    return BARE_IDENTITY


@pytest.fixture(scope="session")
def test_data(shared_slides: Path) -> Path:
    """Real slides."""
    return shared_slides


@pytest.fixture(scope="session")
def bare_slide() -> FakeSlide:
    return make_slide(SlideMetadata())


@pytest.fixture(scope="session")
def level_of() -> Callable[[Pixels, TileEncoding], FakeLevel]:
    def make(pixels: Pixels, encoding: TileEncoding) -> FakeLevel:
        return FakeLevel(pixels, encoding=encoding)

    return make


@pytest.fixture
def lying_level(plain_levels: list[FakeLevel]) -> FakeLevel:
    class Lying(FakeLevel):
        def frames(self) -> Iterator[bytes]:
            return iter([*self.encoded[:-1], self.encoded[-1] + b"more"])

    return Lying(plain_levels[0].picture)


@pytest.fixture(scope="session")
def re_encoded(
    re_encoded_levels: list[FakeLevel], tmp_path_factory: pytest.TempPathFactory
) -> Converted:
    slide = make_slide(thumbnail=True)
    directory = tmp_path_factory.mktemp("re-encoded")
    result = convert(slide, re_encoded_levels, IDENTITY, DirectoryTarget(directory))
    return Converted(directory, re_encoded_levels, slide, result)


@pytest.fixture
def slide_with_thumbnail() -> FakeSlide:
    return make_slide(thumbnail=True)


@pytest.fixture(scope="session")
def slide_of() -> Callable[..., FakeSlide]:
    """A slide of given metadata, and with a thumbnail of the given columns and rows, if any."""

    def make(
        metadata: SlideMetadata = METADATA, thumbnail: tuple[int, int] | None = None
    ) -> FakeSlide:
        slide = make_slide(metadata)
        if thumbnail is None:
            return slide
        extra = {AssociatedKind.THUMBNAIL: tissue(Size(*thumbnail), 4)}
        return replace(slide, images={**slide.images, **extra})

    return make

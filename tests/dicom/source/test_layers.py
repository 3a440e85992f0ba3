"""Which channels and focal planes of a level are those of the base."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom.formats import open_any
from dicom.source.testing import WrittenInstance, with_uid, write
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, SlideReader, TileEncoding

GREY = PixelFormat(1, 8)
RAW = TileEncoding(Colour.GREY, codec=Codec.RAW)


def level(
    side: int,
    values: Sequence[int],
    paths: Sequence[str],
    *,
    names: Sequence[str | None] | None = None,
    distance_mm: float | None = 0.002,
    lowest_um: float | None = None,
) -> WrittenInstance:
    """A square image whose layers have one value each: planes upwards, then paths."""
    frames = [bytes([value]) * (side * side) for value in values]
    extra: dict[str, object] = {}
    if names is not None:
        extra["OpticalPathSequence"] = [
            _path(path, name) for path, name in zip(paths, names, strict=True)
        ]
    if lowest_um is not None:
        origin = pydicom.Dataset()
        origin.ZOffsetInSlideCoordinateSystem = str(lowest_um)
        extra["TotalPixelMatrixOriginSequence"] = [origin]
    size = Size(side, side)
    return WrittenInstance(
        frames,
        size,
        size,
        RAW,
        GREY,
        paths=paths,
        planes=len(values) // len(paths),
        plane_distance_mm=distance_mm,
        spacing_mm=0.0005 * 128 / side,
        extra=extra,
    )


def _path(identifier: str, name: str | None) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.OpticalPathIdentifier = identifier
    if name is not None:
        item.OpticalPathDescription = name
    return item


def opened(folder: Path, *levels: WrittenInstance) -> SlideReader:
    paths = [write(folder / f"{n}.dcm", with_uid(one, n)) for n, one in enumerate(levels, start=1)]
    return open_any(paths[0])


def layers(reader: SlideReader, level: int) -> list[int]:
    return [
        int(np.max(reader.read_tile(level, 0, 0, path, plane)))
        for path in range(len(reader.optical_paths))
        for plane in range(len(reader.focal_planes_um))
    ]


@pytest.mark.parametrize(
    ("base", "coarse", "expected"),
    [
        (["DAPI", "FITC"], ["FITC", "DAPI"], [2, 1]),
        (["DAPI", "FITC"], ["FITC", "TRITC"], None),
        (["DAPI", "FITC"], ["TRITC", "Cy5"], None),
        (["0", "1"], ["1", "2"], None),
        (["0", "1"], ["2", "3"], None),  # each is called "Path 0" and so on
    ],
)
def test_channels_go_by_their_names(
    tmp_path: Path, base: list[str], coarse: list[str], expected: list[int] | None
) -> None:
    reader = opened(tmp_path, level(128, [1, 2], base), level(64, [1, 2], coarse))
    assert layers(reader, 0) == [1, 2]
    if expected is None:
        assert len(reader.levels) == 1
        assert "made anew" in reader.metadata.not_kept[0]
    else:
        assert layers(reader, 1) == expected
        assert reader.metadata.not_kept == ()


@pytest.mark.parametrize(
    ("base", "coarse", "names", "expected"),
    [
        ("01", "23", ([None, None], [None, None]), [1, 2]),
        ("01", "23", (["DAPI", "FITC"], ["fitc", "dapi"]), [2, 1]),
        ("01", "23", (["DAPI", "FITC"], [None, None]), None),
        ("01", "01", (["DAPI", "FITC"], ["FITC", "DAPI"]), None),
        ("01", "01", (["DAPI", "FITC"], ["DAPI", None]), [1, 2]),
        ("01", "23", (["DAPI", "DAPI"], ["DAPI", "DAPI"]), None),
        ("0", "1", (["DAPI"], [None]), None),
    ],
)
def test_channels_go_by_their_descriptions(
    tmp_path: Path,
    base: str,
    coarse: str,
    names: tuple[list[str | None], list[str | None]],
    expected: list[int] | None,
) -> None:
    values = range(1, len(base) + 1)
    reader = opened(
        tmp_path,
        level(128, values, list(base), names=names[0]),
        level(64, values, list(coarse), names=names[1]),
    )
    assert (layers(reader, 1) if len(reader.levels) > 1 else None) == expected


@pytest.mark.parametrize(
    ("distance_mm", "lowest_um", "expected"),
    [
        (0.002, None, [1, 2, 3]),
        (0.00201, None, [1, 2, 3]),  # rounded otherwise
        (0.001, None, None),  # 0, 1 and 2 um are not 0, 2 and 4 um
        (0.002, 2.0, None),
        (0.002, 30.0, [1, 2, 3]),  # counted from elsewhere
        (0.001, 30.0, None),
        (None, None, [1, 2, 3]),
    ],
)
def test_planes_go_by_their_heights(
    tmp_path: Path,
    distance_mm: float | None,
    lowest_um: float | None,
    expected: list[int] | None,
) -> None:
    values = [1, 2, 3]
    coarse = level(64, values, ["1"], distance_mm=distance_mm, lowest_um=lowest_um)
    reader = opened(tmp_path, level(128, values, ["1"]), coarse)
    assert reader.focal_planes_um == (0.0, 2.0, 4.0)
    if expected is None:
        assert len(reader.levels) == 1
        assert "focal planes are not those of the base" in reader.metadata.not_kept[0]
    else:
        assert layers(reader, 1) == expected


def test_the_plane_of_a_stack_that_the_base_has(tmp_path: Path) -> None:
    base = level(128, [2], ["1"], lowest_um=2.0)
    reader = opened(tmp_path, base, level(64, [1, 2, 3], ["1"]))
    assert layers(reader, 1) == [2]


def test_one_plane_at_another_height_is_the_plane(tmp_path: Path) -> None:
    reader = opened(tmp_path, level(128, [7], ["1"], lowest_um=12.5), level(64, [8], ["1"]))
    assert layers(reader, 1) == [8]

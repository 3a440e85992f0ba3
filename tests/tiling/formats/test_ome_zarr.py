"""OME-Zarr as others write it: by zarr-python, in Zarr 2 and 3, in every way that is read."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from tiling.downsample import halve
from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    TilingError,
    UnsupportedSlideError,
)
from tiling.formats import ome_zarr
from tiling.geometry import Size
from tiling.registry import open_slide
from tiling.slide import (
    COUNTED_FOCAL_PLANES,
    RGB8,
    AssociatedKind,
    Illumination,
    PixelFormat,
    SlideReader,
)
from tiling.testing import SlideReaderContract, draw_pattern

Make = Callable[..., Path]

COLUMNS, ROWS = 700, 600
RED_GREEN_BLUE = [{"color": "FF0000"}, {"color": "00FF00"}, {"color": "0000FF"}]
STAINS = [{"label": "DAPI", "color": "0000FF"}, {"label": "Cy5", "color": "#ff0000"}]


def picture() -> NDArray[Any]:
    """The base `(3, rows, columns)`."""
    return np.ascontiguousarray(np.moveaxis(draw_pattern(COLUMNS, ROWS), -1, 0))


def arrange(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """`(c, y, x)` with axes of length 1 put in, and all in the order of `axes`."""
    full = array[None, :, None]  # t c z y x
    order = ["tczyx".index(axis) for axis in axes]
    dropped = tuple(n for n, axis in enumerate("tczyx") if axis not in axes)
    return np.ascontiguousarray(full.transpose([*order, *dropped]).reshape(
        [full.shape[n] for n in order]
    ))  # fmt: skip


def attributes(
    axes: str, paths: Sequence[str], version: str, said: dict[str, Any]
) -> dict[str, Any]:
    types = {"t": "time", "c": "channel"}
    units = {"z": "micrometer", "y": "micrometer", "x": "nanometer"}
    named = [
        {"name": axis, "type": types.get(axis, "space")}
        | ({"unit": units[axis]} if axis in units else {})
        for axis in axes
    ]
    steps = {"z": 1.5, "y": 0.25, "x": 500.0}
    datasets = [
        {
            "path": path,
            "coordinateTransformations": [
                {
                    "type": "scale",
                    "scale": [
                        steps.get(axis, 1.0) * (2**n if axis in "yx" else 1) for axis in axes
                    ],
                }
            ],
        }
        for n, path in enumerate(paths)
    ]
    multiscale = {"name": "slide", "axes": named, "datasets": datasets} | said.pop("image", {})
    ome = {"multiscales": [multiscale], **said}
    if version == "0.4":
        multiscale.setdefault("version", "0.4")
        return ome
    return {"ome": {"version": version, **ome}}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes an image; `said` goes beside its multiscales, `stored` to zarr-python."""

    def write(
        base: NDArray[Any] | None = None,
        *,
        axes: str = "cyx",
        version: str = "0.5",
        chunks: Sequence[int] | None = None,
        folder: str = "slide.ome.zarr",
        levels: int = 2,
        stored: dict[str, Any] | None = None,
        **said: Any,
    ) -> Path:
        base = picture() if base is None else base
        pyramid = [base]
        for _ in range(levels - 1):
            pyramid.append(np.moveaxis(halve(np.moveaxis(pyramid[-1], 0, -1)), -1, 0))
        path = tmp_path / folder
        said.setdefault("omero", {"channels": RED_GREEN_BLUE})
        group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
        paths = [str(n) for n in range(levels)]
        group.attrs.update(attributes(axes, paths, version, said))
        for number, pixels in enumerate(pyramid):
            full = arrange(pixels, axes)
            side = {"y": 256, "x": 300, "c": 1}
            shape = chunks or [side.get(axis, 1) for axis in axes]
            group.create_array(
                str(number), data=full, chunks=tuple(shape), **{"fill_value": 0, **(stored or {})}
            )
        return path

    return write


def whole(reader: SlideReader, level: int = 0, path: int = 0, plane: int = 0) -> NDArray[Any]:
    """A level put together, `(rows, columns, samples)`."""
    found = reader.levels[level]
    rows = [
        np.hstack(
            [reader.read_tile(level, c, r, path, plane) for c in range(found.grid.tiles.columns)]
        )
        for r in range(found.grid.tiles.rows)
    ]
    return np.vstack(rows)[: found.size.rows, : found.size.columns]


class TestColours(SlideReaderContract):
    @pytest.fixture
    def reader(self, make: Make) -> SlideReader:
        return open_slide(make())


class TestChannels(SlideReaderContract):
    @pytest.fixture
    def reader(self, make: Make) -> SlideReader:
        base = picture()[:2].astype(np.uint16) * 200
        return open_slide(make(base, omero={"channels": STAINS}, version="0.4"))


class TestPlanes(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> SlideReader:
        return open_slide(write_planes(tmp_path))


class TestZipped(SlideReaderContract):
    @pytest.fixture
    def reader(self, make: Make, tmp_path: Path) -> SlideReader:
        return open_slide(zipped(make(), tmp_path / "slide.zarr.zip"))


def write_planes(tmp_path: Path, unit: str | None = "micrometer") -> Path:
    random = np.random.default_rng(1)
    base = random.integers(0, 60_000, (2, 3, 200, 300)).astype(np.uint16)
    path = tmp_path / "planes.ome.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=3)
    said = attributes("czyx", ["base"], "0.5", {"omero": {"channels": STAINS}})
    if unit is None:
        del said["ome"]["multiscales"][0]["axes"][1]["unit"]
    group.attrs.update(said)
    group.create_array("base", data=base, chunks=(1, 1, 64, 64), shards=(1, 3, 256, 256))
    return path


def zipped(folder: Path, path: Path, compression: int = zipfile.ZIP_STORED, root: str = "") -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, root + str(file.relative_to(folder)))
    return path


def test_what_a_slide_says(make: Make) -> None:
    reader = open_slide(make())
    assert reader.format == "OME-Zarr"
    assert reader.pixel_format == RGB8
    assert [level.size for level in reader.levels] == [Size(700, 600), Size(350, 300)]
    assert [level.downsample for level in reader.levels] == [1, 2]
    assert reader.metadata.pixel_spacing_mm == (0.00025, 0.0005)
    assert reader.metadata.not_kept == ()
    assert reader.metadata.vendor["multiscales[0].name"] == "slide"
    reader.close()


@pytest.mark.parametrize("axes", ["cyx", "tcyx", "czyx", "tczyx", "yxc", "cxy", "zyxc", "xyc"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_axes_in_any_order(make: Make, axes: str, version: str) -> None:
    reader = open_slide(make(axes=axes, version=version))
    np.testing.assert_array_equal(whole(reader), draw_pattern(COLUMNS, ROWS))
    np.testing.assert_array_equal(whole(reader, 1), halve(draw_pattern(COLUMNS, ROWS)))


@pytest.mark.parametrize(
    "stored",
    [
        {"compressors": None},
        {"compressors": "zlib"},
        {"compressors": "gzip"},
        {"compressors": "zstd"},
        {"compressors": "lz4"},
        {"compressors": "blosc-zstd-2"},
        {"compressors": "blosc-lz4-1"},
        {"compressors": "blosc-blosclz-0"},
        {"order": "F"},
        {"dtype": ">u2"},
        {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
        {"chunks": (2, 600, 33)},
    ],
    ids=str,
)
def test_zarr_2_in_every_dress(make: Make, stored: dict[str, Any]) -> None:
    import numcodecs

    base = picture()
    if "dtype" in stored:
        base = base.astype(stored.pop("dtype")) * 256 + 1
    made = {
        "zlib": lambda: numcodecs.Zlib(3),
        "gzip": lambda: numcodecs.GZip(3),
        "zstd": lambda: numcodecs.Zstd(3),
        "lz4": lambda: numcodecs.LZ4(),
    }
    chosen = stored.get("compressors")
    if chosen in made:
        stored["compressors"] = made[chosen]()
    elif chosen:
        _, name, shuffle = chosen.split("-")
        stored["compressors"] = numcodecs.Blosc(name, 3, int(shuffle))
    chunks = stored.pop("chunks", None)
    path = make(base, version="0.4", stored=stored, chunks=chunks)
    reader = open_slide(path)
    if base.dtype != np.uint8:
        for channel in range(3):
            assert reader.pixel_format == PixelFormat(1, 16)
            np.testing.assert_array_equal(whole(reader, 0, channel)[:, :, 0], base[channel])
    else:
        np.testing.assert_array_equal(whole(reader), np.moveaxis(base, 0, -1))


BYTES, BIG = zarr.codecs.BytesCodec(), zarr.codecs.BytesCodec(endian="big")
SHARDED = {"chunks": (1, 50, 64), "shards": (3, 300, 128)}


@pytest.mark.parametrize(
    "stored",
    [
        {"compressors": None},
        {"compressors": zarr.codecs.GzipCodec()},
        {"compressors": zarr.codecs.ZstdCodec(checksum=True)},
        {"compressors": zarr.codecs.BloscCodec(cname="lz4", shuffle="bitshuffle")},
        {"compressors": [zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()]},
        {"filters": [zarr.codecs.TransposeCodec(order=(2, 0, 1))]},
        {"filters": [zarr.codecs.TransposeCodec(order=(1, 2, 0))], "serializer": BIG},
        {"serializer": BIG, "dtype": "uint16"},
        {"chunk_key_encoding": {"name": "default", "separator": "."}},
        {"chunk_key_encoding": {"name": "v2", "separator": "."}},
        SHARDED,
        {**SHARDED, "compressors": None},
        {**SHARDED, "filters": [zarr.codecs.TransposeCodec(order=(2, 1, 0))]},
    ],
    ids=lambda stored: ",".join(stored),
)
def test_zarr_3_in_every_dress(make: Make, stored: dict[str, Any]) -> None:
    stored = dict(stored)
    base = picture()
    if "dtype" in stored:
        base = base.astype(stored.pop("dtype")) * 256 + 1
    path = make(base, stored=stored, chunks=stored.pop("chunks", None))
    reader = open_slide(path)
    if base.dtype != np.uint8:
        np.testing.assert_array_equal(whole(reader, 0, 2)[:, :, 0], base[2])
    else:
        np.testing.assert_array_equal(whole(reader), np.moveaxis(base, 0, -1))


@pytest.mark.parametrize("location", ["start", "end"])
def test_the_index_of_a_shard_may_come_first(make: Make, location: str) -> None:
    path = make(levels=1)
    codec = zarr.codecs.ShardingCodec(chunk_shape=(1, 50, 64), index_location=location)
    group = zarr.open_group(path, mode="a")
    array = group.create_array(
        "0", shape=(3, 600, 700), chunks=(3, 300, 128), dtype="uint8", overwrite=True,
        serializer=codec, compressors=None, fill_value=9,
    )  # fmt: skip
    array[:, 100:] = picture()[:, 100:]
    pixels = whole(open_slide(path))
    np.testing.assert_array_equal(pixels[100:], draw_pattern(COLUMNS, ROWS)[100:])
    assert (pixels[:100] == 9).all()


def test_chunks_that_are_not_there_are_the_fill_value(make: Make) -> None:
    path = make(stored={"fill_value": 77})
    with closing(open_slide(path)) as reader:
        assert reader.metadata.not_kept == ()
    shutil.rmtree(path / "0" / "c" / "1")
    (path / "0" / "notes.txt").touch()
    reader = open_slide(path)
    assert any("are not there" in sentence for sentence in reader.metadata.not_kept)
    pixels = whole(reader)
    assert (pixels[:, :, 1] == 77).all()
    np.testing.assert_array_equal(pixels[:, :, 0], draw_pattern(COLUMNS, ROWS)[:, :, 0])


@pytest.mark.parametrize(
    ("version", "stored", "piece"),
    [("0.4", {}, "0/0.0.0"), ("0.5", {"shards": (3, 300, 128)}, "0/c/0/0/0")],
)
def test_what_an_archive_lacks_is_told(
    make: Make, tmp_path: Path, version: str, stored: dict[str, Any], piece: str
) -> None:
    folder = make(stored=stored, chunks=(1, 50, 64), version=version)
    with closing(open_slide(zipped(folder, tmp_path / "all.zarr.zip"))) as reader:
        assert reader.metadata.not_kept == ()
    (folder / piece).unlink()
    with closing(open_slide(zipped(folder, tmp_path / "less.zarr.zip"))) as reader:
        assert len(reader.metadata.not_kept) == 1


def test_channels_are_optical_paths(make: Make) -> None:
    base = picture()[:2]
    reader = open_slide(make(base, omero={"channels": STAINS}))
    assert reader.pixel_format == PixelFormat(1, 8)
    dapi, cy5 = reader.optical_paths
    assert (dapi.name, dapi.colour, dapi.illumination) == (
        "DAPI",
        (0, 0, 255),
        Illumination.FLUORESCENCE,
    )
    assert (cy5.name, cy5.colour) == ("Cy5", (255, 0, 0))
    np.testing.assert_array_equal(whole(reader, 0, 1)[:, :, 0], base[1])


def labelled(*labels: Any) -> list[dict[str, Any]]:
    return [{**shown, "label": label} for shown, label in zip(RED_GREEN_BLUE, labels, strict=True)]


@pytest.mark.parametrize(
    ("channels", "in_colour"),
    [
        (RED_GREEN_BLUE, True),
        ([{"color": "ff0000ff"}, {"color": "#00FF00"}, {"color": "0000FF"}], True),
        (labelled("Channel 0", "Channel 1", "Channel 2"), True),
        (labelled("C:0", "C:1", "C:2"), True),
        (labelled("R", "G", "B"), True),
        (labelled("Red", "green", " blue "), True),
        (labelled(0, 1, None), True),
        (labelled("a", "b", "c"), False),
        (labelled("DAPI", "", ""), False),
        (labelled("blue", "green", "red"), False),
        (RED_GREEN_BLUE[::-1], False),
        (RED_GREEN_BLUE[:2], False),
        ([{"label": "Red"}, {"label": "Green"}, {"label": "Blue"}], False),
        ([], False),
        ("no list", False),
    ],
)
def test_three_channels_are_a_picture_only_when_shown_as_one(
    make: Make, channels: Any, in_colour: bool
) -> None:
    reader = open_slide(make(omero={"channels": channels}))
    assert (reader.pixel_format == RGB8) == in_colour
    assert len(reader.optical_paths) == (1 if in_colour else 3)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("HE Red", "HE green", "HE Blue", "Pol Red", "Pol Green", "Pol Blue"), ["HE", "Pol"]),
        (("HE Red", "HE Green", "Pol Blue", "Pol Red", "Pol Green", "Pol Blue"), None),
        (("Red", "Green", "Blue", "Pol Red", "Pol Green", "Pol Blue"), None),
        (("DAPI", "FITC", "Cy5", "Cy3", "Cy7", "Cy2"), None),
        ((None,) * 6, None),
    ],
)
def test_six_channels_are_two_pictures_only_when_named_as_such(
    make: Make, labels: Sequence[str | None], names: list[str] | None
) -> None:
    channels = [
        {**shown, "label": label}
        for shown, label in zip([*RED_GREEN_BLUE, *RED_GREEN_BLUE], labels, strict=True)
    ]
    base = np.concatenate([picture(), 255 - picture()])
    reader = open_slide(make(base, omero={"channels": channels}))
    if names is None:
        assert (reader.pixel_format.samples, len(reader.optical_paths)) == (1, 6)
        return
    assert reader.pixel_format == RGB8
    assert [path.name for path in reader.optical_paths] == names
    np.testing.assert_array_equal(whole(reader, 0, 1), np.moveaxis(255 - picture(), 0, -1))


def test_planes_have_heights(tmp_path: Path) -> None:
    reader = open_slide(write_planes(tmp_path))
    assert reader.focal_planes_um == (0.0, 1.5, 3.0)
    base = zarr.open_array(tmp_path / "planes.ome.zarr/base", mode="r")[:]
    np.testing.assert_array_equal(whole(reader, 0, 1, 2)[:, :, 0], base[1, 2])


def test_planes_without_a_distance_are_not_given_one(tmp_path: Path) -> None:
    reader = open_slide(write_planes(tmp_path, unit=None))
    assert reader.focal_planes_um == (0.0, 1.0, 2.0)
    assert COUNTED_FOCAL_PLANES in reader.metadata.not_kept
    base = zarr.open_array(tmp_path / "planes.ome.zarr/base", mode="r")[:]
    np.testing.assert_array_equal(whole(reader, plane=2)[:, :, 0], base[0, 2])


def test_only_the_first_time_is_kept(make: Make, tmp_path: Path) -> None:
    path = make(axes="tcyx", levels=1)
    base = np.stack([picture(), 255 - picture()])
    group = zarr.open_group(path, mode="a")
    group.create_array("0", data=base, chunks=(2, 1, 128, 128), overwrite=True)
    reader = open_slide(path)
    np.testing.assert_array_equal(whole(reader), draw_pattern(COLUMNS, ROWS))
    assert reader.metadata.not_kept == ("Only the first time point is kept.",)


def test_a_scale_of_the_whole_image_counts(make: Make) -> None:
    doubled = [{"type": "scale", "scale": [1, 2, 3]}]
    reader = open_slide(make(image={"coordinateTransformations": doubled}))
    assert reader.metadata.pixel_spacing_mm == (0.0005, 0.0015)


def test_without_scales_sizes_tell(make: Make) -> None:
    path = make()
    document = json.loads((path / "zarr.json").read_bytes())
    for dataset in document["attributes"]["ome"]["multiscales"][0]["datasets"]:
        dataset["coordinateTransformations"][0]["scale"] = [1, 1, 1]
    (path / "zarr.json").write_text(json.dumps(document))
    assert [level.downsample for level in open_slide(path).levels] == [1, 2]


def test_series_are_scenes_and_what_goes_with_them(make: Make, tmp_path: Path) -> None:
    root = tmp_path / "slides.zarr"
    zarr.open_group(root, mode="w", zarr_format=3).attrs["ome"] = {
        "version": "0.5",
        "bioformats2raw.layout": 3,
    }
    make(folder="slides.zarr/0")
    make(picture()[:, :300, :200], folder="slides.zarr/1", image={"name": "label image"})
    make(picture()[:2], folder="slides.zarr/2", omero={"channels": STAINS})
    make(picture().astype(np.float32), folder="slides.zarr/3", levels=1)
    reader = open_slide(root)
    assert reader.levels[0].size == Size(700, 600)
    first, second = reader.scenes
    assert first is reader
    assert len(second.optical_paths) == 2
    assert reader.associated == {AssociatedKind.LABEL: Size(200, 300)}
    label = reader.read_associated(AssociatedKind.LABEL)
    np.testing.assert_array_equal(label, draw_pattern(COLUMNS, ROWS)[:300, :200])
    assert reader.metadata.not_kept == ("Images of the file that cannot be read are not kept.",)
    with pytest.raises(KeyError):
        reader.read_associated(AssociatedKind.OVERVIEW)


def test_series_in_the_order_and_by_the_names_of_their_list(make: Make, tmp_path: Path) -> None:
    root = tmp_path / "slides.zarr"
    zarr.open_group(root, mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    make(folder="slides.zarr/b", version="0.4")
    make(picture()[:, :100, :90], folder="slides.zarr/a", version="0.4")
    zarr.open_group(root / "OME", mode="w", zarr_format=2).attrs["series"] = ["b", "a"]
    names = '<OME><Image Name="tissue"/><Image Name="macro image"/></OME>'
    (root / "OME" / "METADATA.ome.xml").write_text(names)
    reader = open_slide(root)
    assert reader.levels[0].size == Size(700, 600)
    assert reader.associated == {AssociatedKind.OVERVIEW: Size(90, 100)}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("root", ["", "inner.zarr/"])
@pytest.mark.parametrize("name", ["slide.zarr.zip", "slide.ozx", "slide.zip"])
def test_archives(make: Make, tmp_path: Path, compression: int, root: str, name: str) -> None:
    reader = open_slide(zipped(make(), tmp_path / name, compression, root))
    np.testing.assert_array_equal(whole(reader), draw_pattern(COLUMNS, ROWS))
    reader.close()


def test_shards_in_an_archive(make: Make, tmp_path: Path) -> None:
    folder = make(stored={"shards": (3, 300, 128)}, chunks=(1, 50, 64))
    stored = zipped(folder, tmp_path / "stored.zarr.zip")
    np.testing.assert_array_equal(whole(open_slide(stored)), draw_pattern(COLUMNS, ROWS))
    packed = zipped(folder, tmp_path / "packed.zarr.zip", zipfile.ZIP_DEFLATED)
    with pytest.raises(UnsupportedSlideError, match="without compression"):
        whole(open_slide(packed))


def test_an_archive_of_something_else_is_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "letter.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(TilingError, match="No reader recognises"):
        open_slide(path)


def test_a_folder_of_something_else_is_not_claimed(tmp_path: Path) -> None:
    with pytest.raises(IncompleteSlideError, match="folder"):
        open_slide(tmp_path)


Change = Callable[[dict[str, Any]], object]


def edited(path: Path, name: str, change: Change) -> Path:
    document = json.loads((path / name).read_bytes())
    change(document)
    (path / name).write_text(json.dumps(document))
    return path


def in_image(key: str, value: Any) -> Change:
    return lambda said: said["attributes"]["ome"]["multiscales"][0].__setitem__(key, value)


def dataset(path: str) -> Change:
    return in_image("datasets", [{"path": path}])


GROUPS: list[tuple[Change, type[TilingError], str]] = [
    (dataset("../outside"), DamagedSlideError, "outside"),
    (dataset("/etc"), DamagedSlideError, "outside"),
    (dataset("0/../../outside"), DamagedSlideError, "outside"),
    (dataset("a//b"), DamagedSlideError, "outside"),
    (dataset("."), DamagedSlideError, "outside"),
    (dataset(""), DamagedSlideError, "outside"),
    (dataset("0\0"), DamagedSlideError, "outside"),
    (dataset("\ud800"), DamagedSlideError, "outside"),
    (dataset("http://example.org/0"), DamagedSlideError, "outside"),
    (dataset("x" * 5000), DamagedSlideError, "links"),
    (dataset("absent"), DamagedSlideError, "missing"),
    (in_image("datasets", []), SlideTooLargeError, "levels"),
    (in_image("datasets", [{"path": "0"}] * 100), SlideTooLargeError, "levels"),
    (in_image("datasets", {}), DamagedSlideError, "damaged"),
    (in_image("axes", []), UnsupportedSlideError, "axes"),
    (in_image("axes", [{"name": "c"}, {"name": "y"}]), UnsupportedSlideError, "axes"),
    (in_image("axes", [{"name": "x"}, {"name": "y"}]), DamagedSlideError, "damaged"),
    (in_image("axes", [{"name": n} for n in "xxy"]), UnsupportedSlideError, "axes"),
    (in_image("axes", ["c", "y", "x"]), DamagedSlideError, "damaged"),
    (lambda said: said["attributes"]["ome"].update(version="0.6"), UnsupportedSlideError, "0.5"),
    (lambda said: said["attributes"]["ome"].update(multiscales=[]), DamagedSlideError, "damaged"),
    (lambda said: said["attributes"]["ome"].pop("multiscales"), UnsupportedSlideError, "no image"),
    (lambda said: said.pop("attributes"), UnsupportedSlideError, "no image"),
    (lambda said: said["attributes"].update(ome={"plate": {}}), UnsupportedSlideError, "plate"),
]


@pytest.mark.parametrize(("change", "error", "words"), GROUPS)
def test_groups_that_are_refused(
    make: Make, change: Change, error: type[TilingError], words: str, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    with pytest.raises(error, match=words):
        open_slide(edited(make(levels=1), "zarr.json", change))


def codec(*names: Any) -> Change:
    named = [name if isinstance(name, dict) else {"name": name} for name in names]
    return lambda said: said.update(codecs=named)


def sharding(**said: Any) -> dict[str, Any]:
    usual = {
        "chunk_shape": [1, 64, 100],
        "codecs": [{"name": "bytes"}],
        "index_codecs": [{"name": "bytes"}, {"name": "crc32c"}],
    }
    return {"name": "sharding_indexed", "configuration": {**usual, **said}}


def chunk_shape(*shape: Any) -> Change:
    return lambda said: said["chunk_grid"]["configuration"].update(chunk_shape=list(shape))


ARRAYS: list[tuple[Change, type[TilingError], str]] = [
    (lambda said: said.update(data_type="float32"), UnsupportedSlideError, "uint8"),
    (lambda said: said.update(data_type="int8"), UnsupportedSlideError, "uint8"),
    (lambda said: said.update(data_type={"name": "object"}), UnsupportedSlideError, "uint8"),
    (lambda said: said.update(shape=[3, -1, 7]), DamagedSlideError, "damaged"),
    (lambda said: said.update(shape=[3, 0, 7]), DamagedSlideError, "damaged"),
    (lambda said: said.update(shape=[3, 600, True]), DamagedSlideError, "damaged"),
    (lambda said: said.update(shape=[3, 600, 1.5]), DamagedSlideError, "damaged"),
    (lambda said: said.update(shape=[3, 600, 10**30]), DamagedSlideError, "damaged"),
    (lambda said: said.update(shape=[3]), UnsupportedSlideError, "axes"),
    (lambda said: said.update(shape=[3, 1 << 31, 1 << 31]), SlideTooLargeError, "larger"),
    (lambda said: said.update(shape=[3, 1 << 19, 1 << 19]), SlideTooLargeError, "bytes"),
    (lambda said: said.update(shape=[1 << 20, 600, 700]), SlideTooLargeError, "channels"),
    (lambda said: said.update(fill_value=256), DamagedSlideError, "damaged"),
    (lambda said: said.update(fill_value="NaN"), DamagedSlideError, "damaged"),
    (lambda said: said.update(node_type="group"), DamagedSlideError, "damaged"),
    (lambda said: said.update(storage_transformers=[{"name": "x"}]), UnsupportedSlideError, "as"),
    (lambda said: said["chunk_grid"].update(name="rectilinear"), UnsupportedSlideError, "alike"),
    (lambda said: said["chunk_key_encoding"].update(name="x"), UnsupportedSlideError, "named"),
    (
        lambda said: said.update(
            chunk_key_encoding={"name": "v2", "configuration": {"separator": "/../"}}
        ),
        DamagedSlideError,
        "damaged",
    ),
    (chunk_shape(1, 1, 1), UnsupportedSlideError, "shreds"),
    (chunk_shape(3, 1 << 20, 1 << 20), SlideTooLargeError, "smaller"),
    (chunk_shape(1, 128), DamagedSlideError, "damaged"),
    (codec("bytes", "pickle"), UnsupportedSlideError, "compressed"),
    (codec("vlen-bytes"), UnsupportedSlideError, "compressed"),
    (codec("bytes", "zstd", "zstd"), UnsupportedSlideError, "compressed"),
    (codec(), UnsupportedSlideError, "compressed"),
    (codec(7), DamagedSlideError, "damaged"),
    (codec({"name": "transpose", "configuration": {"order": [0, 0, 1]}}, "bytes"),
     DamagedSlideError, "damaged"),
    (codec({"name": "bytes", "configuration": {"endian": []}}), DamagedSlideError, "damaged"),
    (codec(sharding(chunk_shape=[1, 7, 7])), DamagedSlideError, "damaged"),
    (codec(sharding(codecs=[sharding()])), UnsupportedSlideError, "compressed"),
    (codec(sharding(index_codecs=[{"name": "bytes"}, {"name": "gzip"}])),
     UnsupportedSlideError, "compressed"),
    (codec(sharding(index_location={})), UnsupportedSlideError, "compressed"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "words"), ARRAYS)
def test_arrays_that_are_refused(
    make: Make, change: Change, error: type[TilingError], words: str
) -> None:
    with pytest.raises(error, match=words):
        open_slide(edited(make(levels=1), "0/zarr.json", change))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"dtype": "|O", "filters": [{"id": "pickle"}]}, UnsupportedSlideError),
        ({"dtype": [["a", "<u2"]]}, UnsupportedSlideError),
        ({"filters": [{"id": "delta"}]}, UnsupportedSlideError),
        ({"compressor": {"id": "pickle"}}, UnsupportedSlideError),
        ({"compressor": "zlib"}, DamagedSlideError),
        ({"dimension_separator": ".."}, DamagedSlideError),
        ({"zarr_format": 3}, DamagedSlideError),
        ({"shape": "wide"}, DamagedSlideError),
    ],
    ids=str,
)
def test_arrays_of_zarr_2_that_are_refused(
    make: Make, changed: dict[str, Any], error: type[TilingError]
) -> None:
    with pytest.raises(error):
        open_slide(
            edited(make(version="0.4", levels=1), "0/.zarray", lambda said: said.update(changed))
        )


def test_more_shards_than_anybody_makes(make: Make) -> None:
    path = make(levels=1)
    document = edited(path, "0/zarr.json", chunk_shape(1, 1 << 20, 1 << 20))
    many = sharding(chunk_shape=[1, 64, 64])
    edited(path, "0/zarr.json", lambda said: said.update(codecs=[many]))
    with pytest.raises(UnsupportedSlideError, match="shards"):
        open_slide(document)


def test_nothing_outside_the_folder_is_read(make: Make, tmp_path: Path) -> None:
    path = make()
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(128 * 96))
    chunk = path / "0/c/0/0/0"
    chunk.unlink()
    chunk.symlink_to(secret)
    with pytest.raises(DamagedSlideError, match="links"):
        open_slide(path).read_tile(0, 0, 0)
    shutil.move(path / "0/c/1", tmp_path / "elsewhere")
    (path / "0/c/1").symlink_to(tmp_path / "elsewhere")
    chunk.unlink()
    with pytest.raises(DamagedSlideError, match="links"):
        open_slide(path).read_tile(0, 0, 0)


def test_a_pipe_is_not_waited_for(make: Make) -> None:
    path = make()
    (path / "0/c/0/0/0").unlink()
    os.mkfifo(path / "0/c/0/0/0")
    with pytest.raises(DamagedSlideError, match="devices"):
        open_slide(path).read_tile(0, 0, 0)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 100_000, '{"a":' * 50_000, "9" * 5000, "\xff"]
)
def test_documents_that_are_none(make: Make, text: str) -> None:
    path = make()
    (path / "zarr.json").write_text(text, encoding="latin-1")
    with pytest.raises(DamagedSlideError, match="description"):
        open_slide(path)


def test_a_chunk_may_not_unpack_to_more(make: Make) -> None:
    import gzip
    import zlib

    path = make(stored={"compressors": zarr.codecs.GzipCodec()})
    for bomb in (gzip.compress(bytes(1 << 26)), zlib.compress(bytes(1 << 20)), b"", bytes(1 << 20)):
        (path / "0/c/0/0/0").write_bytes(bomb)
        with pytest.raises(TilingError):
            open_slide(path).read_tile(0, 0, 0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ome-zarr/blobs_image_v04.ome.zarr", "uint8"),
        ("ome-zarr/blobs_image_v05.ome.zarr", "uint8"),
        ("ome-zarr/sample_float32_8bit_range.zarr.zip", "uint8"),
        ("ome-zarr/bioformats2raw/data.zarr", "0.4 or 0.5"),
    ],
)
def test_real_ones_that_are_no_slides(shared_slides: Path, name: str, words: str) -> None:
    path = shared_slides / name
    head = b"" if path.is_dir() else path.read_bytes()[:64]
    assert ome_zarr.sniff(path, head)
    with pytest.raises(UnsupportedSlideError, match=words):
        open_slide(path)


def deep(levels: int) -> Any:
    nested: Any = 1
    for _ in range(levels):
        nested = [nested]
    return nested


@pytest.mark.parametrize("key", ["extra", "version", "omero", "name"])
@pytest.mark.parametrize("value", [deep(400), [0] * 200_000, {"x" * 9000: [0] * 50_000}], ids=type)
def test_what_nobody_asked_for_takes_no_room(make: Make, key: str, value: Any) -> None:
    path = edited(
        make(levels=1), "zarr.json", lambda s: s["attributes"]["ome"].update({key: value})
    )
    try:
        reader = open_slide(path)
    except TilingError:
        return
    said = reader.metadata.vendor
    assert sum(map(len, said)) + sum(map(len, said.values())) < 1 << 20
    reader.close()


def test_more_channels_than_there_are_is_harmless(make: Make) -> None:
    reader = open_slide(make(levels=1, omero={"channels": STAINS * 5000}))
    assert len(reader.optical_paths) == 3

"""Slides of one file and of many: levels, layers, missing tiles, label and overview."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom.codes import EPIFLUORESCENCE
from dicom.formats import open_any
from dicom.source import DicomSlide
from dicom.source.testing import (
    JPEG_420,
    SERIES,
    FramePosition,
    WrittenInstance,
    encode,
    instance_of,
    tiles_of,
    with_uid,
    write,
)
from tiling.downsample import halve
from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    UnsupportedSlideError,
)
from tiling.geometry import Size
from tiling.slide import (
    AssociatedKind,
    Codec,
    Colour,
    Illumination,
    PixelFormat,
    Pixels,
    SlideReader,
    TileEncoding,
)
from tiling.testing import SlideReaderContract, draw_pattern

TILE = Size(columns=64, rows=48)
BASE = draw_pattern(300, 200)
GREY = PixelFormat(1, 16)
GREY_RAW = TileEncoding(Colour.GREY, codec=Codec.RAW)


def opened(folder: Path, *instances: WrittenInstance, first: int = 0) -> DicomSlide:
    """Write the instances, each as another of the series, and open one of them."""
    paths = [
        write(folder / f"{number}_0", with_uid(instance, number))
        for number, instance in enumerate(instances, start=1)
    ]
    reader = open_any(paths[first])
    assert isinstance(reader, DicomSlide)
    return reader


def whole(pixels: Pixels, role: str) -> WrittenInstance:
    instance = instance_of(pixels, Size(pixels.shape[1], pixels.shape[0]))
    return replace(instance, role=role)


def pyramid() -> list[WrittenInstance]:
    levels = [BASE, halve(BASE), halve(halve(BASE))]
    return [
        replace(instance_of(pixels, TILE, JPEG_420), spacing_mm=0.0005 * 2**number)
        for number, pixels in enumerate(levels)
    ]


def layers(count: int, seed: int = 5) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 65536, (100, 150, 1), np.uint16) for _ in range(count)]


def stack(images: Sequence[np.ndarray], paths: Sequence[str], planes: int = 1) -> WrittenInstance:
    tiles = [tile.tobytes() for image in images for tile in tiles_of(image, TILE, 0)]
    return WrittenInstance(
        tiles,
        Size(150, 100),
        TILE,
        GREY_RAW,
        GREY,
        paths=paths,
        planes=planes,
        illumination=EPIFLUORESCENCE,
    )


def sparse(
    encoding: TileEncoding = JPEG_420, missing: Sequence[int] = (), pixels: Pixels = BASE
) -> WrittenInstance:
    instance = instance_of(pixels, TILE, encoding)
    across = -(-instance.size.columns // TILE.columns)
    kept = [n for n in range(len(instance.frames)) if n not in missing][::-1]
    positions = [
        FramePosition(n % across * TILE.columns + 1, n // across * TILE.rows + 1) for n in kept
    ]
    return replace(
        instance,
        frames=[instance.frames[n] for n in kept],
        organization="TILED_SPARSE",
        positions=positions,
    )


class TestPyramid(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> SlideReader:
        return opened(
            tmp_path,
            *pyramid(),
            whole(draw_pattern(90, 80), "LABEL"),
            whole(draw_pattern(200, 90), "OVERVIEW"),
            whole(draw_pattern(75, 50), "THUMBNAIL"),
        )


class TestLayers(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> SlideReader:
        return opened(tmp_path, stack(layers(6), ["a", "b"], planes=3))


class TestSparse(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> SlideReader:
        return opened(tmp_path, sparse(missing=(1, 7, 8)))


class TestSparseOfAnotherCodec(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> SlideReader:
        encoding = TileEncoding(Colour.RGB, codec=Codec.JPEG_LS_LOSSLESS)
        return opened(tmp_path, sparse(encoding, missing=(1, 7, 8)))


class TestParts(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> SlideReader:
        return opened(tmp_path, *parts())


def parts(total: int | None = 3) -> list[WrittenInstance]:
    """A concatenation; its files are not named in their order."""
    instance = instance_of(BASE, TILE, JPEG_420)
    cuts = (0, 10, 11, 25)
    found = []
    for number, (begin, end) in enumerate(pairwise(cuts), start=1):
        extra = {
            "ConcatenationUID": SERIES + ".77",
            "InConcatenationNumber": number,
            "ConcatenationFrameOffsetNumber": begin,
        }
        if total is not None:
            extra["InConcatenationTotalNumber"] = total
        found.append(replace(instance, frames=instance.frames[begin:end], extra=extra))
    return found[::-1]


@pytest.mark.parametrize("first", range(4))
def test_any_file_of_a_series_opens_it(tmp_path: Path, first: int) -> None:
    label = draw_pattern(90, 80)
    reader = opened(tmp_path, *pyramid(), whole(label, "LABEL"), first=first)
    assert [level.size for level in reader.levels] == [Size(300, 200), Size(150, 100), Size(75, 50)]
    assert [level.downsample for level in reader.levels] == [1, 2, 4]
    np.testing.assert_array_equal(reader.read_associated(AssociatedKind.LABEL), label)
    assert reader.metadata.pixel_spacing_mm == (0.0005, 0.0005)
    assert reader.scenes == (reader,)
    assert reader.metadata.not_kept == ()


def test_other_series_and_other_files_are_left_alone(tmp_path: Path) -> None:
    other = replace(instance_of(draw_pattern(500, 500), TILE), series=SERIES + ".5")
    write(tmp_path / "other.dcm", other)
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "other.dcm")
    (tmp_path / "folder").mkdir()
    reader = opened(tmp_path, *pyramid())
    assert reader.levels[0].size == Size(300, 200)


def test_the_same_instance_twice_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a", instance_of(BASE, TILE, JPEG_420))
    (tmp_path / "a copy").write_bytes(path.read_bytes())
    reader = open_any(path)
    assert len(reader.levels) == 1
    assert reader.metadata.not_kept == ()


def test_two_images_of_one_place_are_told_apart(tmp_path: Path) -> None:
    other = np.flip(BASE, 0)
    reader = opened(tmp_path, instance_of(BASE, TILE), instance_of(other, TILE), first=1)
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0), tiles_of(other, TILE)[0])
    assert "only the first" in reader.metadata.not_kept[0]


def test_pyramids_of_a_series_are_scenes(tmp_path: Path) -> None:
    first = [replace(i, extra={"PyramidUID": SERIES + ".31"}) for i in pyramid()]
    second = replace(instance_of(draw_pattern(140, 90), TILE), extra={"PyramidUID": SERIES + ".32"})
    reader = opened(tmp_path, *first, second, whole(draw_pattern(90, 80), "LABEL"), first=3)
    assert [scene.levels[0].size for scene in reader.scenes] == [Size(140, 90), Size(300, 200)]
    assert all(AssociatedKind.LABEL in scene.associated for scene in reader.scenes)
    assert reader.scenes[0] is reader


def test_levels_with_their_own_frame_of_reference_are_one_pyramid(tmp_path: Path) -> None:
    levels = [
        replace(instance, extra={"FrameOfReferenceUID": f"{SERIES}.{number}"})
        for number, instance in enumerate(pyramid())
    ]
    assert len(opened(tmp_path, *levels).levels) == 3


def test_what_is_no_level_is_left_out(tmp_path: Path) -> None:
    other = replace(instance_of(draw_pattern(60, 200), TILE), spacing_mm=0.005)
    reader = opened(tmp_path, *pyramid(), other)
    assert len(reader.levels) == 3
    assert "no levels" in reader.metadata.not_kept[0]


@pytest.mark.parametrize("undefined", [False, True])
def test_sparse_frames_lie_where_they_say(tmp_path: Path, undefined: bool) -> None:
    instance = replace(
        sparse(TileEncoding(Colour.RGB, codec=Codec.RAW)), undefined_lengths=undefined
    )
    reader = opened(tmp_path, instance)
    for tile, (column, row) in zip(
        tiles_of(BASE, TILE), reader.levels[0].grid.positions(), strict=True
    ):
        np.testing.assert_array_equal(reader.read_tile(0, column, row), tile)


def test_missing_tiles_are_blank_and_the_others_handed_on(tmp_path: Path) -> None:
    instance = sparse(missing=(1, 7))
    reader = opened(tmp_path, instance)
    assert reader.levels[0].encoding == JPEG_420
    assert (reader.read_tile(0, 1, 0) == 255).all()
    stream = reader.read_encoded_tile(0, 1, 0)
    assert stream == encode(np.full((48, 64, 3), 255, np.uint8), JPEG_420)
    assert reader.read_encoded_tile(0, 0, 0) == instance.frames[-1]


def test_missing_tiles_of_fluorescence_are_dark(tmp_path: Path) -> None:
    instance = stack(layers(1), ["1"])
    sparse_one = replace(
        instance,
        frames=instance.frames[1:2],
        organization="TILED_SPARSE",
        positions=[FramePosition(65, 1)],
    )
    reader = opened(tmp_path, sparse_one)
    assert not reader.read_tile(0, 0, 0).any()
    assert reader.read_encoded_tile(0, 0, 0) == bytes(64 * 48 * 2)


def test_sparse_heights_and_paths(tmp_path: Path) -> None:
    images = layers(4)
    tiles = [tiles_of(image, TILE, 0)[4].tobytes() for image in images]
    positions = [
        FramePosition(65, 49, z_um, path) for path in ("dapi", "fitc") for z_um in (1.5, -2.0)
    ]
    instance = replace(
        stack(images, ["dapi", "fitc"]),
        frames=tiles,
        organization="TILED_SPARSE",
        positions=positions,
    )
    reader = opened(tmp_path, instance)
    assert reader.focal_planes_um == (-2.0, 1.5)
    assert [path.name for path in reader.optical_paths] == ["Path dapi", "Path fitc"]
    for path in (0, 1):
        for plane in (0, 1):
            tile = reader.read_tile(0, 1, 1, path, plane)
            assert tile.tobytes() == tiles[2 * path + (1 - plane)]


def test_heights_that_follow_the_tissue_are_one_plane(tmp_path: Path) -> None:
    instance = sparse()
    positions = [
        replace(position, z_um=number / 7)
        for number, position in enumerate(instance.positions or ())
    ]
    reader = opened(tmp_path, replace(instance, positions=positions))
    assert reader.focal_planes_um == (0.0,)


def test_planes_and_paths_of_a_full_image(tmp_path: Path) -> None:
    images = layers(6)
    reader = opened(tmp_path, stack(images, ["a", "b"], planes=3))
    assert reader.focal_planes_um == (0.0, 1.0, 2.0)
    assert [path.illumination for path in reader.optical_paths] == [Illumination.FLUORESCENCE] * 2
    for number, image in enumerate(images):
        tile = reader.read_tile(0, 0, 1, number // 3, number % 3)
        np.testing.assert_array_equal(tile, tiles_of(image, TILE, 0)[3])


def test_planes_of_unknown_distance_are_counted(tmp_path: Path) -> None:
    instance = replace(stack(layers(2), ["a"], planes=2), plane_distance_mm=None)
    reader = opened(tmp_path, instance)
    assert reader.focal_planes_um == (0.0, 1.0)
    assert "counted" in reader.metadata.not_kept[0]


def test_paths_in_files_of_their_own(tmp_path: Path) -> None:
    images = layers(3)
    reader = opened(
        tmp_path, *(stack([image], [f"c{n}"]) for n, image in enumerate(images)), first=1
    )
    assert {path.name for path in reader.optical_paths} == {"Path c0", "Path c1", "Path c2"}
    for number, path in enumerate(reader.optical_paths):
        image = images[int(str(path.name)[-1])]
        tile = reader.read_tile(0, 0, 0, number)
        np.testing.assert_array_equal(tile, tiles_of(image, TILE, 0)[0])


def test_planes_in_files_of_their_own(tmp_path: Path) -> None:
    def at(z_um: float) -> dict[str, object]:
        origin = pydicom.Dataset()
        origin.ZOffsetInSlideCoordinateSystem = str(z_um)
        return {"TotalPixelMatrixOriginSequence": [origin]}

    images = layers(2)
    reader = opened(
        tmp_path,
        replace(stack(images[:1], ["a"]), extra=at(5.0)),
        replace(stack(images[1:], ["a"]), extra=at(-5.0)),
    )
    assert reader.focal_planes_um == (-5.0, 5.0)
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0, 0, 1), tiles_of(images[0], TILE, 0)[0])


def test_a_level_without_all_planes_is_made_anew(tmp_path: Path) -> None:
    small = instance_of(layers(1)[0][::2, ::2], TILE, GREY_RAW, GREY)
    reader = opened(tmp_path, stack(layers(2), ["1"], planes=2), small)
    assert len(reader.levels) == 1


def test_several_paths_in_colours_are_kept(tmp_path: Path) -> None:
    instance = instance_of(BASE, TILE)
    two = replace(instance, frames=[*instance.frames, *instance.frames[::-1]], paths=["a", "b"])
    reader = opened(tmp_path, two)
    assert [path.name for path in reader.optical_paths] == ["Path a", "Path b"]
    assert reader.metadata.not_kept == ()
    first, *_, last = tiles_of(BASE, TILE)
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0), first)
    np.testing.assert_array_equal(reader.read_tile(0, 0, 0, 1), last)


@pytest.mark.parametrize("missing", [0, 1, 2])
@pytest.mark.parametrize("total", [3, None])
def test_a_part_that_is_missing(tmp_path: Path, missing: int, total: int | None) -> None:
    kept = [part for number, part in enumerate(parts(total)) if number != missing]
    with pytest.raises(IncompleteSlideError, match="missing"):
        opened(tmp_path, *kept)


def test_too_few_frames(tmp_path: Path) -> None:
    instance = instance_of(BASE, TILE)
    with pytest.raises(DamagedSlideError, match="frames"):
        opened(tmp_path, replace(instance, frames=instance.frames[:-1]))


def test_frames_beside_the_grid(tmp_path: Path) -> None:
    instance = sparse()
    positions = [
        replace(position, column=position.column + 1) for position in instance.positions or ()
    ]
    with pytest.raises(UnsupportedSlideError, match="grid"):
        opened(tmp_path, replace(instance, positions=positions))


def test_frames_outside_the_image(tmp_path: Path) -> None:
    instance = sparse()
    positions = [
        replace(position, row=position.row + 4800) for position in instance.positions or ()
    ]
    with pytest.raises(DamagedSlideError, match="outside"):
        opened(tmp_path, replace(instance, positions=positions))


def test_a_huge_canvas_with_one_tile_is_refused(tmp_path: Path) -> None:
    instance = replace(sparse(), size=Size(1 << 20, 1 << 18))
    with pytest.raises(SlideTooLargeError):
        opened(tmp_path, instance)


def test_a_broken_label_is_left_out(tmp_path: Path) -> None:
    label = write(tmp_path / "label", replace(whole(BASE, "LABEL"), uid=SERIES + ".66"))
    label.write_bytes(label.read_bytes()[:-100])
    reader = opened(tmp_path, *pyramid())
    assert not reader.associated
    assert "label" in reader.metadata.not_kept[0]


def test_a_broken_level_is_not(tmp_path: Path) -> None:
    level = write(tmp_path / "level", with_uid(pyramid()[1], 9))
    level.write_bytes(level.read_bytes()[:-100])
    with pytest.raises(DamagedSlideError):
        opened(tmp_path, pyramid()[0])


def test_a_label_alone_is_no_slide(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedSlideError, match="copy all of its files"):
        opened(tmp_path, whole(BASE, "LABEL"))


def test_other_dicom_is_no_slide(tmp_path: Path) -> None:
    path = write(tmp_path / "x.dcm", instance_of(BASE, TILE))
    path.write_bytes(path.read_bytes().replace(b"5.1.4.1.1.77.1.6", b"5.1.4.1.1.77.1.5"))
    with pytest.raises(UnsupportedSlideError, match="not a whole slide"):
        open_any(path)


def test_a_tile_that_is_bit_rotten(tmp_path: Path) -> None:
    instance = instance_of(BASE, TILE, JPEG_420)
    frames = [instance.frames[0], b"\xff\xd8" + bytes(60) + b"\xff\xd9", *instance.frames[2:]]
    reader = opened(tmp_path, replace(instance, frames=frames))
    with pytest.raises(DamagedSlideError):
        reader.read_tile(0, 1, 0)
    reader.read_tile(0, 0, 0)


class TestMetadata:
    def reader(self, folder: Path, **extra: object) -> DicomSlide:
        return opened(folder, replace(instance_of(BASE, TILE), extra=extra))

    def test_all_that_is_said(self, tmp_path: Path) -> None:
        label = replace(
            whole(draw_pattern(90, 80), "LABEL"),
            extra={"LabelText": "H&E 12", "BarcodeValue": "26H1-A-1"},
        )
        base = replace(
            instance_of(BASE, TILE),
            extra={
                "AcquisitionDateTime": "20240506070809.25",
                "TimezoneOffsetFromUTC": "+0000",
                "Manufacturer": "Maker",
                "ManufacturerModelName": "Model",
                "DeviceSerialNumber": "SN",
                "SoftwareVersions": ["1", "2"],
                "FocusMethod": "MANUAL",
                "LossyImageCompression": "00",
            },
        )
        reader = opened(tmp_path, base, label)
        said = reader.metadata
        assert said.scanned_at == datetime(2024, 5, 6, 7, 8, 9, 250000, UTC)
        assert (said.manufacturer, said.model, said.serial_number) == ("Maker", "Model", "SN")
        assert (said.software, said.focus_method) == ("1 2", "MANUAL")
        assert (said.label_text, said.barcode) == ("H&E 12", "26H1-A-1")
        assert (said.objective_power, said.icc_profile) == (20.0, b"profile!")
        assert reader.optical_paths[0].name == "Path 1"
        assert not reader.levels[0].lossy

    def test_nothing_is_invented(self, tmp_path: Path) -> None:
        reader = self.reader(
            tmp_path, Manufacturer="?", ManufacturerModelName="Unknown", AcquisitionDateTime="2024"
        )
        said = reader.metadata
        assert (said.manufacturer, said.model, said.scanned_at, said.software) == (None,) * 4
        assert (said.label_text, said.barcode, said.focus_method) == (None,) * 3

    def test_the_scale_by_the_extent(self, tmp_path: Path) -> None:
        instance = replace(
            instance_of(BASE, TILE),
            spacing_mm=None,
            extra={"ImagedVolumeWidth": 0.3, "ImagedVolumeHeight": 0.1},
        )
        spacing = opened(tmp_path, instance).metadata.pixel_spacing_mm
        assert spacing == pytest.approx((0.0005, 0.001))

    def test_nobody_is_named_among_the_vendors_words(self, tmp_path: Path) -> None:
        secret = "Dupont"
        specimen = pydicom.Dataset()
        specimen.SpecimenIdentifier = secret
        reader = self.reader(
            tmp_path,
            PatientName=secret,
            PatientID=secret,
            PatientComments=secret,
            ReferringPhysicianName=secret,
            OperatorsName=secret,
            AccessionNumber=secret,
            StudyDescription=secret,
            SeriesDescription=secret,
            InstitutionName=secret,
            ContainerIdentifier=secret,
            ImageComments=secret,
            ProtocolName=secret,
            LabelText=secret,
            SpecimenDescriptionSequence=[specimen],
            ClinicalTrialSubjectID=secret,
            StudyID=secret,
        )
        vendor = reader.metadata.vendor
        assert secret not in str(vendor)
        assert vendor["OpticalPathSequence[1].ObjectiveLensPower"] == "20"

    def test_colour_and_wavelengths_of_a_path(self, tmp_path: Path) -> None:
        path = pydicom.Dataset()
        path.IlluminationTypeCodeSequence = [EPIFLUORESCENCE.item()]
        path.OpticalPathIdentifier = "1"
        path.IlluminationWaveLength = 358.0
        path.ImagePathFilterPassBand = [440, 480]
        palette = pydicom.Dataset()
        for name, value in (("Red", 0), ("Green", 128), ("Blue", 255)):
            setattr(palette, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
            entries = np.linspace(0, value * 257, 256).astype("<u2").tobytes()
            setattr(palette, f"{name}PaletteColorLookupTableData", entries)
        path.PaletteColorLookupTableSequence = [palette]
        instance = replace(stack(layers(1), ["1"]), extra={"OpticalPathSequence": [path]})
        (found,) = opened(tmp_path, instance).optical_paths
        assert found.colour == (0, 128, 255)
        assert (found.excitation_nm, found.emission_nm) == (358.0, 460.0)
        assert found.illumination is Illumination.FLUORESCENCE

    def test_the_original_header_is_there_without_pixels(self, tmp_path: Path) -> None:
        reader = self.reader(tmp_path, Manufacturer="Maker", PatientID="7")
        original = reader.original[0]
        assert (original.header.Manufacturer, original.header.PatientID) == ("Maker", "7")
        assert "PixelData" not in original.header
        assert [item.OpticalPathIdentifier for item in original.optical_paths if item] == ["1"]


def test_no_slide_is_made_of_two_patients(tmp_path: Path) -> None:
    base, coarser, _ = pyramid()
    first = replace(with_uid(base, 1), extra={"PatientID": "1"})
    write(tmp_path / "a", first)
    write(tmp_path / "b", replace(with_uid(coarser, 2), extra={"PatientID": "2"}))
    with pytest.raises(UnsupportedSlideError, match="different patients"):
        open_any(tmp_path / "a")


def test_one_identity_with_two_contents_is_for_a_person(tmp_path: Path) -> None:
    base, *_ = pyramid()
    write(tmp_path / "a", base)
    write(tmp_path / "b", replace(base, extra={"ImageComments": "another"}))
    with pytest.raises(UnsupportedSlideError, match="one identity"):
        open_any(tmp_path / "a")


def test_a_file_that_was_copied_twice_is_no_riddle(tmp_path: Path) -> None:
    base, *_ = pyramid()
    path = write(tmp_path / "a", base)
    (tmp_path / "b").write_bytes(path.read_bytes())
    reader = open_any(path)
    assert len(reader.levels) == 1
    reader.close()


def test_two_areas_of_one_glass_are_two_slides(tmp_path: Path) -> None:
    base, *_ = pyramid()
    area = instance_of(BASE[:-20, :-30], TILE, JPEG_420)
    write(tmp_path / "a", with_uid(base, 1))
    write(tmp_path / "b", with_uid(area, 2))
    reader = open_any(tmp_path / "a")
    assert [scene.levels[0].size for scene in reader.scenes] == [base.size, area.size]
    assert [len(scene.levels) for scene in reader.scenes] == [1, 1]
    reader.close()

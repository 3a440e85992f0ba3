import uuid
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.filebase import DicomBytesIO

from dicom.conversion import ConversionOptions, convert
from dicom.errors import FrameMismatchError
from dicom.manifest import SlideManifest
from dicom.models import ImageRole, SlideIdentity
from dicom.reader import Instance
from dicom.testing import MemorySource, MemoryTarget
from tiling.errors import DamagedSlideError
from tiling.pyramid import EncodedLevel, Origin, build_pyramid
from tiling.registry import open_slide
from tiling.slide import (
    ONE_FOCAL_PLANE,
    AssociatedKind,
    Pixels,
    SlideMetadata,
    SlideReader,
)
from tiling.svs import SvsOptions, write_svs
from tiling.testing import draw_pattern


def dataset_of(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(DicomBytesIO(data))


@pytest.fixture
def target() -> MemoryTarget:
    return MemoryTarget()


def test_everything_is_written_in_order_and_reported(
    plain_slide: SlideReader,
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
) -> None:
    # Act
    told: list[tuple[int, int]] = []
    result = convert(
        plain_slide, plain_levels, identity, target, progress=lambda *done: told.append(done)
    )
    # Assert
    names = ["level-0", "level-1", "level-2", "thumbnail", "overview", "label"]
    assert list(target.instances) == names
    assert [record.name for record in result.manifest.instances] == names
    for number, record in enumerate(result.manifest.instances, start=1):
        data = target.instances[record.name]
        assert record.sha256 == sha256(data).hexdigest()
        assert record.size_bytes == len(data)
        instance = Instance.open(MemorySource(data))
        assert instance.header.sop_instance_uid == record.sop_instance_uid
        assert (instance.header.size, instance.header.tile) == (record.size, record.tile)
        frames = [instance.frame(index) for index in range(record.frames)]
        hashes = b"".join(sha256(frame).digest() for frame in frames)
        assert result.frame_hashes[record.sop_instance_uid] == hashes
        assert record.frames_sha256 == sha256(hashes).hexdigest()
        assert dataset_of(data).InstanceNumber == number
    total = 25 + 9 + 4
    assert told == [(done, total) for done in range(1, total + 1)]
    assert SlideManifest.from_json(result.manifest.to_json()) == result.manifest


def test_levels_hold_the_very_frames(
    plain_slide: SlideReader,
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
) -> None:
    convert(plain_slide, plain_levels, identity, target)
    for number, level in enumerate(plain_levels):
        instance = Instance.open(MemorySource(target.instances[f"level-{number}"]))
        assert [instance.frame(n) for n in range(len(level.frame_lengths))] == list(level.frames())


def test_converting_twice_gives_the_same_bytes(
    plain_slide: SlideReader, plain_levels: list[EncodedLevel], identity: SlideIdentity
) -> None:
    one, two = MemoryTarget(), MemoryTarget()
    assert convert(plain_slide, plain_levels, identity, one) == convert(
        plain_slide, plain_levels, identity, two
    )
    assert one.instances == two.instances


def test_associated_images_lose_not_a_bit(
    plain_slide: SlideReader,
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
) -> None:
    options = ConversionOptions(lossless_associated=frozenset({AssociatedKind.LABEL}))
    convert(plain_slide, plain_levels, identity, target, options)
    for kind in (AssociatedKind.LABEL, AssociatedKind.OVERVIEW):
        dataset = dataset_of(target.instances[kind.value])
        np.testing.assert_array_equal(dataset.pixel_array, plain_slide.read_associated(kind))
        lossless = kind is AssociatedKind.LABEL
        assert dataset.LossyImageCompression == ("00" if lossless else "01")


def test_levels_say_how_they_came_to_be(
    plain_slide: SlideReader,
    plain_levels: list[EncodedLevel],
    re_encoded_levels: list[EncodedLevel],
    identity: SlideIdentity,
) -> None:
    passed, encoded = MemoryTarget(), MemoryTarget()
    convert(plain_slide, plain_levels, identity, passed)
    convert(plain_slide, re_encoded_levels, identity, encoded)

    base = dataset_of(passed.instances["level-0"])
    assert base.ImageType == ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    assert "DerivationDescription" not in base
    frames = plain_levels[0].frame_lengths
    assert base.LossyImageCompressionRatio == pytest.approx(
        64 * 48 * 3 * len(frames) / frames.sum(), rel=1e-3
    )
    assert base.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == [
        0.0005,
        0.00049,
    ]

    built = dataset_of(passed.instances["level-2"])
    assert built.ImageType == ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]
    assert "averaging" in built.DerivationDescription
    assert built.LossyImageCompressionMethod == ["ISO_10918_1"] * 2

    again = dataset_of(encoded.instances["level-0"])
    assert again.ImageType == ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    assert "compressed again" in again.DerivationDescription
    origins = {
        (float(item.XOffsetInSlideCoordinateSystem), float(item.YOffsetInSlideCoordinateSystem))
        for data in (base, built, again)
        for item in data.TotalPixelMatrixOriginSequence
    }
    assert origins == {(0.1, 0.147)}


def test_thumbnail_is_the_files_or_made(
    plain_slide: SlideReader,
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
) -> None:
    result = convert(
        plain_slide, plain_levels, identity, target, ConversionOptions(thumbnail_px=40)
    )
    (record,) = [r for r in result.manifest.instances if r.role is ImageRole.THUMBNAIL]
    assert (record.size.columns, record.size.rows) == (38, 25)
    assert record.origin is Origin.BUILT
    dataset = dataset_of(target.instances["thumbnail"])
    assert dataset.ImageType == ["DERIVED", "PRIMARY", "THUMBNAIL", "RESAMPLED"]
    # The blocks' means are the image's: nothing is shifted or dropped.
    base = next(iter(plain_levels))
    assert dataset.pixel_array.mean() == pytest.approx(base.picture.mean(), abs=2)  # type: ignore[attr-defined] - the fake's


def test_a_slide_says_nothing_it_does_not_know(
    plain_levels: list[EncodedLevel], bare_slide: SlideReader, target: MemoryTarget
) -> None:
    convert(bare_slide, plain_levels, SlideIdentity(uuid.uuid4()), target)
    for name, data in target.instances.items():
        header = Instance.open(MemorySource(data)).header
        assert header.pixel_spacing_mm is None, name
        dataset = dataset_of(data)
        assert dataset.Manufacturer == dataset.ContainerIdentifier == "Unknown"
        assert dataset.PatientName == dataset.AccessionNumber == dataset.StudyDate == ""
        assert "ObjectiveLensPower" not in dataset.OpticalPathSequence[0]
        level = name.startswith("level") or name == "thumbnail"
        assert ("spacing is not known" in dataset.ImageComments) == level


def test_a_level_that_breaks_its_word_is_not_published(
    plain_slide: SlideReader,
    lying_level: EncodedLevel,
    identity: SlideIdentity,
    target: MemoryTarget,
) -> None:
    with pytest.raises(FrameMismatchError):
        convert(plain_slide, [lying_level], identity, target)
    assert target.instances == {}


@pytest.mark.parametrize("broken", AssociatedKind)
def test_a_broken_image_does_not_keep_the_tissue_out(
    slide_with_thumbnail: SlideReader,
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
    monkeypatch: pytest.MonkeyPatch,
    broken: AssociatedKind,
) -> None:
    whole = slide_with_thumbnail.read_associated

    def read(_: object, kind: AssociatedKind) -> Pixels:
        if kind is broken:
            raise DamagedSlideError("The image cannot be decoded; copy the file again.")
        return whole(kind)

    monkeypatch.setattr(type(slide_with_thumbnail), "read_associated", read)
    manifest = convert(slide_with_thumbnail, plain_levels, identity, target).manifest
    assert manifest.left_out == (broken.value,)
    names = {record.name for record in manifest.instances}
    made = broken is AssociatedKind.THUMBNAIL
    assert {"level-0", "thumbnail", "overview", "label"} - names == (
        set() if made else {broken.value}
    )
    (thumbnail,) = [r for r in manifest.instances if r.role is ImageRole.THUMBNAIL]
    assert thumbnail.origin is (Origin.BUILT if made else None)
    numbers = [dataset_of(data).InstanceNumber for data in target.instances.values()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_whole_images_are_all_kept(
    slide_with_thumbnail: SlideReader, plain_levels: list[EncodedLevel], identity: SlideIdentity
) -> None:
    converted = convert(slide_with_thumbnail, plain_levels, identity, MemoryTarget())
    assert converted.manifest.left_out == ()


@pytest.mark.parametrize(
    ("columns", "rows", "is_kept"),
    [(75, 50, True), (78, 50, True), (80, 50, False), (30, 60, False)],
)
def test_a_thumbnail_of_another_shape_is_made_anew(
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
    slide_of: Callable[..., SlideReader],
    columns: int,
    rows: int,
    *,
    is_kept: bool,
) -> None:
    slide = slide_of(thumbnail=(columns, rows))
    manifest = convert(slide, plain_levels, identity, target).manifest
    (record,) = [r for r in manifest.instances if r.role is ImageRole.THUMBNAIL]
    assert record.origin is (None if is_kept else Origin.BUILT)
    assert manifest.left_out == ()
    spacing = (
        dataset_of(target.instances["thumbnail"])
        .SharedFunctionalGroupsSequence[0]
        .PixelMeasuresSequence[0]
        .PixelSpacing
    )
    assert spacing[0] / 0.0005 == pytest.approx(spacing[1] / 0.00049, rel=0.06)


def test_a_slide_says_what_is_not_kept(
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
    slide_of: Callable[..., SlideReader],
) -> None:
    convert(slide_of(SlideMetadata().keeping_less(ONE_FOCAL_PLANE)), plain_levels, identity, target)
    for name, data in target.instances.items():
        comments = dataset_of(data).ImageComments
        assert (ONE_FOCAL_PLANE in comments) == name.startswith("level")
        nominal = name.startswith("level") or name == "thumbnail"
        assert ("spacing is not known" in comments) == nominal


def test_an_svs_with_a_corrupt_label_is_taken(
    tmp_path: Path, bare_identity: SlideIdentity, target: MemoryTarget
) -> None:
    # Arrange
    path = tmp_path / "label.svs"
    write_svs(path, draw_pattern(600, 500), SvsOptions(label=draw_pattern(120, 90)))
    with tifffile.TiffFile(path) as file:
        places = list(zip(file.pages[-1].dataoffsets, file.pages[-1].databytecounts, strict=True))
    data = bytearray(path.read_bytes())
    for offset, length in places:
        data[offset : offset + length] = b"\xff" * length
    path.write_bytes(data)
    # Act
    reader = open_slide(path)
    converted = convert(reader, build_pyramid(reader, tmp_path), bare_identity, target)
    # Assert
    assert AssociatedKind.LABEL in reader.associated
    assert converted.manifest.left_out == ("label",)
    assert "label" not in target.instances
    assert converted.manifest.instances[0].origin is Origin.PASSED_THROUGH


@pytest.mark.parametrize(
    ("images", "saying"),
    [
        ({"label", "overview"}, {"label", "overview"}),
        ({"overview"}, {"overview"}),
        (set(), {"level-0", "level-1", "level-2"}),
    ],
)
def test_what_the_label_reads_is_kept_even_without_its_picture(
    images: set[str],
    saying: set[str],
    plain_slide: SlideReader,
    plain_levels: list[EncodedLevel],
    identity: SlideIdentity,
    target: MemoryTarget,
) -> None:
    said = replace(plain_slide.metadata, barcode="26H00123-A1", label_text="H&E")
    held = {kind: plain_slide.read_associated(kind) for kind in map(AssociatedKind, images)}
    slide = replace(plain_slide, metadata=said, images=held)  # type: ignore[type-var]
    convert(slide, plain_levels, identity, target)
    written = {name: dataset_of(data) for name, data in target.instances.items()}
    assert {name for name, one in written.items() if one.get("BarcodeValue")} == saying
    assert {(written[name].BarcodeValue, written[name].LabelText) for name in saying} == {
        ("26H00123-A1", "H&E")
    }

import uuid
from hashlib import sha256

import numpy as np
import pydicom
import pytest
from pydicom.filebase import DicomBytesIO

from dicom.conversion import ConversionOptions, convert
from dicom.errors import FrameMismatchError, UnsupportedInstanceError
from dicom.manifest import SlideManifest
from dicom.models import ImageRole, SlideIdentity
from dicom.reader import Instance
from dicom.testing import MemorySource, MemoryTarget
from tiling.pyramid import EncodedLevel, Origin
from tiling.slide import AssociatedKind, Colour, SlideReader, TileEncoding


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
    assert dataset.pixel_array.mean() == pytest.approx(base.pixels.mean(), abs=2)  # type: ignore[attr-defined] - the fake's


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


def test_grey_is_refused(
    plain_slide: SlideReader, grey_level: EncodedLevel, identity: SlideIdentity
) -> None:
    assert grey_level.encoding == TileEncoding(Colour.GREY)
    with pytest.raises(UnsupportedInstanceError, match="grey"):
        convert(plain_slide, [grey_level], identity, MemoryTarget())

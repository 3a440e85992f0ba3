from datetime import datetime

import pydicom
import pytest

from dicom.dataset import build_dataset
from dicom.errors import UnsupportedInstanceError
from dicom.models import (
    Equipment,
    ImageDescription,
    ImageRole,
    LossyStep,
    Optics,
    SlideIdentity,
)
from dicom.srgb import SRGB_PROFILE
from tiling.geometry import Size

VOLUME = ImageDescription(
    ImageRole.VOLUME,
    "1.2.3",
    1,
    Size(columns=1000, rows=500),
    Size(columns=256, rows=256),
    pixel_spacing_mm=(0.0005, 0.00025),
    lossy_steps=(LossyStep(12.3456), LossyStep(7.0)),
    acquired_at=datetime(2024, 5, 6, 7, 8, 9),  # noqa: DTZ001 - a file without a time zone
)
LABEL = ImageDescription(ImageRole.LABEL, "1.2.4", 2, Size(30, 40), Size(30, 40))


def build(
    image: ImageDescription, identity: SlideIdentity, optics: Optics | None = None
) -> pydicom.Dataset:
    return build_dataset(identity, Equipment(), optics or Optics(), image)


def test_volume_says_its_extent_and_its_losses(identity: SlideIdentity) -> None:
    dataset = build(VOLUME, identity)
    assert dataset.NumberOfFrames == 8
    assert (dataset.ImagedVolumeWidth, dataset.ImagedVolumeHeight) == (0.25, 0.25)
    assert dataset.ImagedVolumeDepth == 1
    assert dataset.LossyImageCompression == "01"
    assert dataset.LossyImageCompressionRatio == [12.346, 7]
    assert dataset.LossyImageCompressionMethod == ["ISO_10918_1", "ISO_10918_1"]
    assert dataset.AcquisitionDateTime == "20240506070809"
    assert "ImageComments" not in dataset
    assert "PerFrameFunctionalGroupsSequence" not in dataset


def test_label_is_lossless_may_identify_and_has_no_scale(identity: SlideIdentity) -> None:
    dataset = build(LABEL, identity)
    assert dataset.LossyImageCompression == "00"
    assert "LossyImageCompressionRatio" not in dataset
    assert (dataset.BurnedInAnnotation, dataset.SpecimenLabelInImage) == ("YES", "YES")
    assert "ImagedVolumeWidth" not in dataset
    assert "PyramidUID" not in dataset
    assert dataset.BarcodeValue == dataset.LabelText == ""


def test_specimens_are_the_laboratorys_or_one_like_the_container(
    identity: SlideIdentity, bare_identity: SlideIdentity
) -> None:
    named = build(LABEL, identity)
    assert [item.SpecimenIdentifier for item in named.SpecimenDescriptionSequence] == [
        "24H01234-A-1"
    ]
    bare = build(LABEL, bare_identity)
    assert bare.ContainerIdentifier == "Unknown"
    assert bare.SpecimenDescriptionSequence[0].SpecimenIdentifier == "Unknown"


def test_profile_is_the_files_else_srgb(identity: SlideIdentity) -> None:
    own = build(VOLUME, identity, Optics(icc_profile=b"own!")).OpticalPathSequence[0]
    assert own.ICCProfile == b"own!"
    assert "ColorSpace" not in own
    built_in = build(VOLUME, identity).OpticalPathSequence[0]
    assert built_in.ICCProfile == SRGB_PROFILE
    assert built_in.ColorSpace == "SRGB"


def test_unknown_time_is_owned_up_to(identity: SlideIdentity) -> None:
    dataset = build(LABEL, identity)
    assert dataset.AcquisitionDateTime.startswith("1900")
    assert "Acquisition time is not known" in dataset.ImageComments


def test_words_out_of_a_file_are_made_to_fit(identity: SlideIdentity) -> None:
    scanner = Equipment("a\\b\n" + "x" * 100, "", None, "1.0")
    dataset = build_dataset(identity, scanner, Optics(), LABEL)
    assert dataset.Manufacturer == "a b " + "x" * 60
    assert dataset.ManufacturerModelName == dataset.DeviceSerialNumber == "Unknown"


def test_a_tile_beyond_16_bits_is_refused(identity: SlideIdentity) -> None:
    size = Size(columns=65536, rows=1)
    with pytest.raises(UnsupportedInstanceError, match="65536"):
        build(ImageDescription(ImageRole.LABEL, "1.2", 1, size, size), identity)

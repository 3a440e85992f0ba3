"""Against littlecms by another route, and against the arithmetic of ISO 15076-1 written out."""

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tiling.codecs import jpeg
from tiling.colour import (
    INTENT,
    MOST_PROFILE_BYTES,
    Target,
    convert_colour,
    profile_of,
    with_profile,
)
from tiling.errors import DamagedSlideError, SlideTooLargeError, TilingError
from tiling.matrix_profile import BT_709, DISPLAY_P3, INPUT, Colorants, matrix_profile
from tiling.slide import Pixels
from tiling.testing import draw_pattern

WIDE: Colorants = ((0x9C18, 0x4FA5, 0x04FC), (0x348D, 0xA02C, 0x0F95), (0x2631, 0x102F, 0xBE9C))
"""Adobe RGB's primaries."""
SCANNER = matrix_profile("A scanner", WIDE, INPUT)
RAMP: Pixels = np.stack(np.meshgrid(*[np.arange(0, 256, 15, np.uint8)] * 3), axis=-1).reshape(
    -1, 18 * 3, 3
)


def check_against_another_route(profile: bytes, target: Target) -> None:
    expected = imagecodecs.cms_transform(
        RAMP,
        profile,
        profile_of(target),
        colorspace="rgb",
        outcolorspace="rgb",
        intent=int(INTENT),
    )
    found = convert_colour(RAMP, profile, target)
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("target", Target)
def test_another_route_to_littlecms_gives_the_same(target: Target) -> None:
    check_against_another_route(SCANNER, target)


@pytest.mark.parametrize("target", Target)
def test_real_profiles_by_another_route(shared_slides: Path, target: Target) -> None:
    real = sorted((shared_slides / "icc").glob("*.ic[cm]"))
    assert real
    for path in real:
        check_against_another_route(path.read_bytes(), target)


def linear(samples: np.ndarray) -> np.ndarray:
    share = samples / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def curved(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    ("target", "primaries"), [(Target.SRGB, BT_709), (Target.DISPLAY_P3, DISPLAY_P3)]
)
def test_the_arithmetic_written_out_gives_the_same(target: Target, primaries: Colorants) -> None:
    ours, theirs = (np.array(rows, float).T / 0x10000 for rows in (primaries, WIDE))
    light = linear(RAMP.astype(float)) @ (np.linalg.inv(ours) @ theirs).T
    found = convert_colour(RAMP, SCANNER, target).astype(float)
    assert np.abs(found - curved(light)).max() < 1.5


def test_display_p3_is_what_its_primaries_say() -> None:
    corners = np.array([[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]])
    white = np.array([0.3127, 0.3290])

    def xyz(place: np.ndarray) -> np.ndarray:
        return np.array([place[0] / place[1], 1, (1 - place.sum()) / place[1]])

    cone = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    d50 = np.array([0.9642, 1.0, 0.8249])
    primaries = np.stack([xyz(corner) for corner in corners], axis=1)
    primaries = primaries * np.linalg.solve(primaries, xyz(white))
    gain = np.diag((cone @ d50) / (cone @ xyz(white)))
    expected = (np.linalg.inv(cone) @ gain @ cone @ primaries).T
    np.testing.assert_allclose(np.array(DISPLAY_P3) / 0x10000, expected, atol=3e-4)


@pytest.mark.parametrize("target", Target)
def test_colours_of_the_target_stay(target: Target) -> None:
    found = convert_colour(RAMP, profile_of(target), target)
    assert np.abs(found.astype(int) - RAMP).max() <= 1


def test_the_white_of_the_glass_stays_white() -> None:
    white = np.full((1, 1, 3), 255, np.uint8)
    for target in Target:
        assert (convert_colour(white, SCANNER, target) == 255).all()


def test_what_was_given_is_not_changed() -> None:
    pixels = RAMP.copy()
    pixels.flags.writeable = False
    convert_colour(pixels, SCANNER, Target.SRGB)
    np.testing.assert_array_equal(pixels, RAMP)


def test_a_part_of_a_larger_image_is_converted() -> None:
    whole = convert_colour(RAMP, SCANNER, Target.SRGB)
    np.testing.assert_array_equal(
        convert_colour(RAMP[3:9, 4:8], SCANNER, Target.SRGB), whole[3:9, 4:8]
    )


def test_a_jpeg_says_what_its_colours_are() -> None:
    pixels = draw_pattern(64, 48)
    tagged = with_profile(jpeg.encode(pixels), Target.DISPLAY_P3)
    with Image.open(io.BytesIO(tagged)) as image:
        described = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert ImageCms.getProfileDescription(described).strip() == "Display P3"
    np.testing.assert_array_equal(jpeg.decode(tagged), jpeg.decode(jpeg.encode(pixels)))


def changed(at: int, value: bytes) -> bytes:
    return SCANNER[:at] + value + SCANNER[at + len(value) :]


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"profile!",
        SCANNER[:127],
        SCANNER[:200],
        changed(16, b"CMYK"),
        changed(16, b"GRAY"),
        changed(12, b"link"),
        changed(12, b"nmcl"),
        changed(36, b"abcd"),
        changed(128, struct.pack(">I", 0xFFFFFFFF)),
        bytes(4096),
    ],
)
def test_a_broken_profile_is_an_error(profile: bytes) -> None:
    with pytest.raises(DamagedSlideError):
        convert_colour(RAMP, profile, Target.SRGB)


def test_a_huge_profile_is_refused_before_it_is_read() -> None:
    with pytest.raises(SlideTooLargeError):
        convert_colour(RAMP, SCANNER + bytes(MOST_PROFILE_BYTES), Target.SRGB)


@settings(max_examples=300)
@given(st.data())
def test_bytes_that_changed_give_colours_or_an_error(data: st.DataObject) -> None:
    profile = bytearray(SCANNER)
    for _ in range(data.draw(st.integers(1, 6))):
        profile[data.draw(st.integers(0, len(profile) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(profile)))
    for broken in (bytes(profile), bytes(profile[:cut])):
        try:
            found = convert_colour(RAMP[:2], broken, Target.SRGB)
        except TilingError:
            continue
        assert found.shape == RAMP[:2].shape

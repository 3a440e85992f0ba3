from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiling.codecs.jpeg_recompressed import give_back, recompress
from tiling.errors import TilingError


def picture(kind: str, columns: int = 64, rows: int = 48) -> bytes:
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(1).normal(0, 9, (rows, columns, 3))
    wave = np.stack([np.sin(x / 9), np.sin(y / 7), np.cos(x / 5)], axis=-1)
    pixels = np.clip(150 + 80 * wave + noise, 0, 255).astype(np.uint8)
    if kind == "grey":
        return bytes(imagecodecs.jpeg8_encode(pixels[..., 0].copy(), level=80))
    return bytes(imagecodecs.jpeg8_encode(pixels, level=80, subsampling=kind))


@pytest.mark.parametrize("kind", ["444", "422", "420", "grey"])
def test_it_comes_back_bit_for_bit_and_is_smaller(kind: str) -> None:
    jpeg = picture(kind, 256, 256)
    packed = recompress(jpeg)
    assert packed is not None
    assert len(packed) < 0.95 * len(jpeg)
    assert give_back(packed) == jpeg


def test_what_follows_the_picture_comes_back_too() -> None:
    jpeg = picture("422", 256, 256) + b"after the end\0\0"
    packed = recompress(jpeg)
    assert packed is None or give_back(packed) == jpeg


@pytest.mark.parametrize(
    "other",
    [b"", b"\0", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"],
)
def test_what_is_no_jpeg_stays_as_it_is(other: bytes) -> None:
    assert recompress(other) is None
    with pytest.raises(TilingError):
        give_back(other)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=6))
def test_damage_is_found_or_harmless(place: int, patch: bytes) -> None:
    jpeg = bytearray(picture("420"))
    at = place % len(jpeg)
    jpeg[at : at + len(patch)] = patch
    packed = recompress(bytes(jpeg))
    assert packed is None or give_back(packed) == bytes(jpeg)

    whole = bytearray(recompress(picture("420", 128, 128)) or b"")
    at = place % len(whole)
    whole[at : at + len(patch)] = patch
    with suppress(TilingError):
        give_back(bytes(whole))

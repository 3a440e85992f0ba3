import numpy as np
import pytest

from sgi.ingest.quality.boxes import luma
from sgi.ingest.quality.seams import has_seam
from sgi.ingest.quality.stripes import stripe_step
from sgi.ingest.quality.views import Grey, Image


@pytest.fixture(scope="module")
def grey(section: Image) -> Grey:
    return luma(section[256:1280, 512:1536])


@pytest.mark.parametrize("turned", [False, True])
def test_a_step_on_glass_is_measured(turned: bool) -> None:
    noise = np.random.default_rng(2).normal(235, 2, (600, 700))
    noise[:, 300:] -= 5
    image = np.clip(noise, 0, 255).astype(np.uint8)
    image = np.ascontiguousarray(image.T) if turned else image
    ground = np.ones(image.shape, np.bool_)
    assert stripe_step(image, ground) == pytest.approx(5, abs=0.5)
    assert stripe_step(image, ~ground) == 0


def test_noise_and_slow_shading_are_no_stripes() -> None:
    shade = np.linspace(240, 200, 700) + np.random.default_rng(2).normal(0, 2, (600, 700))
    image = np.clip(shade, 0, 255).astype(np.uint8)
    assert stripe_step(image, np.ones(image.shape, np.bool_)) == 0


def test_what_was_not_scanned_makes_no_stripe() -> None:
    image = np.full((600, 700), 240, np.uint8)
    image[:, 350:] = 255
    assert stripe_step(image, np.ones(image.shape, np.bool_)) == 0


def test_a_tiny_image_has_no_stripes() -> None:
    assert stripe_step(np.zeros((3, 3), np.uint8), np.ones((3, 3), np.bool_)) == 0


def tiles(grey: Grey) -> list[Grey]:
    return [
        grey[y : y + 256, x : x + 256] for y in range(0, 1024, 256) for x in range(0, 1024, 256)
    ]


def test_sound_tissue_has_no_seam(grey: Grey) -> None:
    assert not any(has_seam(tile) for tile in tiles(grey))


def test_a_shifted_strip_is_a_seam_both_ways(grey: Grey) -> None:
    spoiled = grey.copy()
    spoiled[:, 100:] = np.roll(grey[:, 100:], 9, axis=0)
    first = [has_seam(tile) for tile in tiles(spoiled)[::4]]
    assert all(first)
    assert [has_seam(tile.T) for tile in tiles(spoiled)[::4]] == first


def test_the_grid_of_strong_compression_is_no_seam() -> None:
    blocks = np.random.default_rng(4).integers(90, 160, (32, 32)).astype(np.uint8)
    assert not has_seam(blocks.repeat(8, 0).repeat(8, 1))


def test_a_tile_too_small_to_tell_has_no_seam() -> None:
    assert not has_seam(np.zeros((31, 400), np.uint8))

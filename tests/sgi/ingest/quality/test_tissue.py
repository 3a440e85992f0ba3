import numpy as np

from sgi.ingest.quality.tissue import map_tissue

PINK, GLASS = (215, 150, 190), (244, 243, 242)


def scene(*parts: tuple[slice, slice, tuple[int, int, int]]) -> np.ndarray:
    image = np.full((200, 300, 3), GLASS, np.uint8)
    for rows, columns, colour in parts:
        image[rows, columns] = colour
    return image


def test_stained_tissue_is_told_from_glass() -> None:
    seen = map_tissue(scene((slice(50, 150), slice(100, 200), PINK)))
    assert seen.tissue[52:148, 102:198].all()
    assert seen.tissue.sum() < 104 * 104
    assert seen.light == 243
    assert not seen.dark_field


def test_pale_tissue_is_tissue() -> None:
    pale = (236, 222, 231)
    assert map_tissue(scene((slice(50, 150), slice(100, 200), pale))).tissue[100, 150]


def test_shadows_and_what_was_not_scanned_are_not() -> None:
    seen = map_tissue(
        scene(
            (slice(0, 40), slice(0, 300), (0, 0, 0)),
            (slice(160, 200), slice(0, 300), (255, 255, 255)),
            (slice(60, 90), slice(0, 300), (190, 190, 189)),
        )
    )
    assert not seen.tissue.any()
    assert seen.light == 243


def test_without_glass_its_light_is_not_guessed() -> None:
    image = np.full((100, 100, 3), PINK, np.uint8)
    seen = map_tissue(image)
    assert seen.light is None
    assert seen.tissue.all()


def test_a_lamp_too_dim_for_any_glass_is_told_by_the_brightest_place() -> None:
    dim = (scene((slice(50, 150), slice(100, 200), PINK)) * 0.35).astype(np.uint8)
    seen = map_tissue(dim)
    assert seen.light is not None
    assert 80 < seen.light < 90


def test_fluorescence_is_bright_on_black() -> None:
    image = np.full((100, 100, 1), 4, np.uint8)
    image[30:60, 30:60] = 90
    seen = map_tissue(image)
    assert seen.dark_field
    assert seen.light is None
    assert seen.tissue[32:58, 32:58].all()
    assert seen.tissue.sum() < 36 * 36

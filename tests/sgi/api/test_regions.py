"""Regions as pictures, with the processes that draw them: as others read them, within bounds."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openslide
import pytest
from openslide.deepzoom import DeepZoomGenerator
from PIL import Image

from sgi.api import regions
from sgi.domain.slide import Slide
from tiling.array_slide import ArraySlide
from tiling.composite import Window, composite
from tiling.geometry import Size
from tiling.registry import open_slide
from tiling.slide import Illumination, OpticalPath, Pixels
from tiling.svs import SvsOptions, write_svs

LIGHT = [
    OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255)),
    OpticalPath("Cy5", Illumination.FLUORESCENCE, (255, 0, 0)),
]


def picture_in(answer: httpx.Response) -> Pixels:
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image)


def decibel(found: Pixels, expected: Pixels) -> float:
    error = ((found.astype(float) - expected) ** 2).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.fixture
def published(
    here: Any, store: Any, publish_reader: Callable[..., Slide]
) -> Callable[[Path], Slide]:
    def publish(path: Path) -> Slide:
        reader = open_slide(path)
        try:
            return publish_reader(here, store, reader)
        finally:
            reader.close()

    return publish


@pytest.fixture
def real(shared_slides: Path) -> Path:
    return shared_slides / "aperio/CMU-1-Small-Region.svs"


def test_pictures_are_what_openslide_reads(
    web: Any, client: Any, published: Callable[[Path], Slide], real: Path
) -> None:
    slide = published(real)
    with openslide.OpenSlide(real) as theirs:
        for x, y, w, h in ((0, 0, 700, 500), (1001, 1503, 333, 257), (1900, 2700, 320, 267)):
            shown = picture_in(
                web.get(client, f"/iiif/3/{slide.id}/{x},{y},{w},{h}/max/0/default.png")
            )
            expected = np.asarray(theirs.read_region((x, y), 0, (w, h)).convert("RGB"))
            assert decibel(shown, expected) > 45
            half = picture_in(
                web.get(client, f"/iiif/3/{slide.id}/{x},{y},{w},{h}/{w // 2},/0/default.png")
            )
            reduced = Image.fromarray(expected).resize(
                (half.shape[1], half.shape[0]), Image.Resampling.HAMMING
            )
            assert decibel(half, np.asarray(reduced)) > (26 if x % 2 else 30)


def test_deepzoom_is_what_openslides_generator_gives(
    web: Any, client: Any, published: Callable[[Path], Slide], real: Path
) -> None:
    slide = published(real)
    with openslide.OpenSlide(real) as theirs:
        generator = DeepZoomGenerator(theirs, 240, overlap=0)
        for level in range(5, generator.level_count):
            across, down = generator.level_tiles[level]
            for column, row in {(0, 0), (across // 2, down // 2), (across - 1, down - 1)}:
                address = f"/dzi/{slide.id}_files/{level}/{column}_{row}.jpg"
                shown = picture_in(web.get(client, address))
                expected = np.asarray(generator.get_tile(level, (column, row)))
                assert shown.shape == expected.shape
                assert decibel(shown, expected) > 26


def test_between_levels_far_apart_it_is_drawn_from_shrunk_tiles(
    web: Any, client: Any, tmp_path: Path, pixels: Pixels, published: Callable[[Path], Slide]
) -> None:
    path = tmp_path / "gap.svs"
    write_svs(path, pixels, SvsOptions(tile=128, factors=(1, 4)))
    slide = published(path)
    assert [level.downsample for level in slide.levels] == [1, 4]
    for width in (300, 299, 200, 150, 149):
        shown = picture_in(web.get(client, f"/iiif/3/{slide.id}/full/{width},/0/default.png"))
        size = (shown.shape[1], shown.shape[0])
        expected = Image.fromarray(pixels).resize(size, Image.Resampling.HAMMING)
        assert decibel(shown, np.asarray(expected)) > 30


def test_light_is_shown_together_and_alone(
    web: Any, client: Any, here: Any, store: Any, publish_reader: Callable[..., Slide]
) -> None:
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 4096, (2, 3, 100, 150, 1)).astype(np.uint16)
    light = ArraySlide(samples, LIGHT, (-2.0, 0.0, 2.0), bits=12, tile=Size(64, 64))
    slide = publish_reader(here, store, light)
    windows = [Window(*path.window) for path in slide.facts.optical_paths if path.window]
    address = f"/iiif/3/{slide.id}/10,20,100,70/max/0/default.png"
    region = samples[:, :, 20:90, 10:110]
    colours = [(0, 0, 255), (255, 0, 0)]
    for query, paths, plane in (
        ("", (0, 1), 1),
        ("?path=1", (1,), 1),
        ("?path=0&plane=2", (0,), 2),
    ):
        shown = picture_in(web.get(client, address + query))
        expected = composite(
            [region[path, plane] for path in paths],
            [windows[path] for path in paths],
            [colours[path] for path in paths],
        )
        assert np.abs(shown.astype(int) - expected).max() <= 1
    assert web.get(client, f"{address}?path=2").status_code == 404


def test_more_than_the_limit_is_refused_with_what_is_not(
    web: Any, client: Any, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "_MOST_UNPACKED_QUICKLY", 6 * 128 * 128)
    monkeypatch.setattr(regions, "bounds_of", None)
    monkeypatch.setattr("sgi.api.iiif.bounds_of", lambda _: regions.Bounds(8192, 1 << 23))
    address = f"/iiif/3/{slide.id}/0,0,600,420"
    answer = web.get(client, f"{address}/600,210/0/default.jpg")
    assert answer.status_code == 400
    columns, rows = answer.json()["detail"].split(" x ")
    largest = f"{columns.split()[-1]},{rows.split()[0]}"
    assert web.get(client, f"{address}/{largest}/0/default.jpg").status_code == 200


def test_what_the_information_offers_is_within_the_limits(
    web: Any, client: Any, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "_MOST_UNPACKED_QUICKLY", 40 * 128 * 128)
    info = web.get(client, f"/iiif/3/{slide.id}/info.json").json()
    assert info["maxArea"] == int(0.6 * 40 * 128 * 128 / 4)
    assert web.get(client, f"/iiif/3/{slide.id}/full/max/0/default.jpg").status_code == 200


def test_the_same_picture_is_drawn_once_for_all(
    web: Any, client: Any, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = 0
    run = web.services.regions._decoders.run

    async def counted(*arguments: Any, **options: Any) -> bytes:
        nonlocal drawn
        drawn += 1
        picture: bytes = await run(*arguments, **options)
        return picture

    monkeypatch.setattr(web.services.regions._decoders, "run", counted)
    address = f"/iiif/3/{slide.id}/0,0,300,200/150,/0/default.jpg"

    async def together() -> list[httpx.Response]:
        return await asyncio.gather(*(client.get(address) for _ in range(8)))

    answers = web.run(together())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == drawn == 1


def test_nobody_waits_for_ever(
    web: Any, client: Any, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = web.services.regions._turns
    monkeypatch.setattr(gate, "_longest_s", 0.05)
    turns = gate.turn(slide.id)
    web.run(turns.__aenter__())
    address = f"/iiif/3/{slide.id}/full/100,/0/default.jpg"
    answer = web.get(client, address)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert web.get(client, f"/iiif/3/{slide.id}/0,0,128,128/max/0/default.jpg").status_code == 200
    web.run(turns.__aexit__(None, None, None))
    assert web.get(client, address).status_code == 200


def test_a_stored_tile_is_handed_on_without_being_drawn(
    web: Any, client: Any, slide: Slide, frame_of: Callable[[int, int], bytes]
) -> None:
    for words, frame in (
        ("128,0,128,128/max", frame_of(0, 1)),
        ("256,0,256,256/128,", frame_of(1, 1)),
    ):
        answer = web.get(client, f"/iiif/3/{slide.id}/{words}/0/default.jpg")
        assert answer.content == frame
    for words in ("128,0,128,128/max/0/default.png", "128,0,128,128/max/90/default.jpg"):
        assert web.get(client, f"/iiif/3/{slide.id}/{words}").content != frame_of(0, 1)


def test_a_damaged_frame_is_never_shown(
    web: Any, client: Any, slide: Slide, rot: Callable[[int, int], None]
) -> None:
    rot(0, 3)
    assert web.get(client, f"/iiif/3/{slide.id}/full/max/0/default.jpg").status_code == 500
    assert web.get(client, f"/iiif/3/{slide.id}/full/300,/0/default.jpg").status_code == 200

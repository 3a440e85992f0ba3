"""A slide as DeepZoom, over HTTP."""

import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from sgi.domain.slide import Slide
from tiling.slide import Pixels

FrameOf = Callable[[int, int], bytes]


@pytest.fixture
def tile(web: Any, client: Any, slide: Slide) -> Callable[..., httpx.Response]:
    def get(name: str, **options: Any) -> httpx.Response:
        answer: httpx.Response = web.get(client, f"/dzi/{slide.id}_files/{name}", **options)
        return answer

    return get


def pixels_of(answer: httpx.Response) -> Pixels:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image)


def test_a_tile_within_the_slide_is_the_stored_one(
    tile: Callable[..., httpx.Response], frame_of: FrameOf
) -> None:
    assert tile("10/2_1.jpg").content == frame_of(0, 5 + 2)
    assert tile("9/1_0.jpg").content == frame_of(1, 1)


def test_at_the_edge_it_ends_with_the_slide(
    tile: Callable[..., httpx.Response], frame_of: FrameOf
) -> None:
    shown = pixels_of(tile("10/4_3.jpg"))
    assert shown.shape == (420 - 3 * 128, 600 - 4 * 128, 3)
    with Image.open(io.BytesIO(frame_of(0, 19))) as stored:
        expected = np.asarray(stored)[: shown.shape[0], : shown.shape[1]].astype(int)
    assert np.abs(shown - expected).mean() < 2


def test_above_the_stored_levels_it_is_scaled(tile: Callable[..., httpx.Response]) -> None:
    assert pixels_of(tile("8/0_0.jpg")).shape == (105, 128, 3)
    assert pixels_of(tile("8/1_0.jpg")).shape == (105, 22, 3)
    assert pixels_of(tile("0/0_0.jpg")).shape == (1, 1, 3)


def test_a_browser_that_has_it_gets_nothing(tile: Callable[..., httpx.Response]) -> None:
    for name in ("10/0_0.jpg", "8/0_0.jpg"):
        got = tile(name)
        assert "private" in got.headers["cache-control"]
        answer = tile(name, headers={"if-none-match": got.headers["etag"]})
        assert (answer.status_code, answer.content) == (304, b"")
    assert tile("10/0_0.jpg").headers["etag"] != tile("10/1_0.jpg").headers["etag"]


@pytest.mark.parametrize(
    "name",
    [
        *("11/0_0.jpg", "-1/0_0.jpg", "10/5_0.jpg", "10/0_4.jpg", "10/0_0.png", "10/0_0"),
        *("10/0_0.jpeg", "10/+0_0.jpg", "10/00.jpg", "x/0_0.jpg", "10/0_0_0.jpg", "010/0_0.jpg"),
        *("10/9999999999_0.jpg", "10/\u0661_0.jpg", "10/-1_0.jpg"),
    ],
)
def test_what_is_not_there_is_not_found(tile: Callable[..., httpx.Response], name: str) -> None:
    assert tile(name).status_code == 404


@pytest.mark.parametrize("name", ["{}", "{}.DZI", "{}.dzi.dzi", "x.dzi", ".dzi", "{}_files"])
def test_a_slide_has_one_name(web: Any, client: Any, slide: Slide, name: str) -> None:
    assert web.get(client, f"/dzi/{name.format(slide.id)}").status_code == 404


def test_only_its_establishment_sees_it(
    web: Any, slide: Slide, make_establishment: Callable[..., Any]
) -> None:
    stranger = web.signed_in(make_establishment())
    for address in (f"/dzi/{slide.id}.dzi", f"/dzi/{slide.id}_files/10/0_0.jpg"):
        assert web.get(stranger, address).status_code == 404
        assert web.get(web.client(), address).status_code == 401


def test_looking_is_a_view_in_the_audit_once(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    for address in (f"/dzi/{slide.id}.dzi", f"/dzi/{slide.id}_files/10/0_0.jpg"):
        assert web.get(client, address).status_code == 200
    rows = [row for row in audit_rows(here) if row["action"] == "view_slide"]
    assert [row["object_id"] for row in rows] == [slide.id]


def test_a_damaged_frame_is_never_shown(
    web: Any, tile: Callable[..., httpx.Response], rot: Callable[[int, int], None]
) -> None:
    rot(0, 3)
    for name in ("10/3_0.jpg",):
        assert tile(name).status_code == 500
    assert tile("10/2_0.jpg").status_code == 200

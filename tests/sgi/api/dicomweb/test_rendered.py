"""WADO-RS rendered: pictures with the pixels of the slide, in the size and form asked for."""

import io
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from dicom.srgb import SRGB_PROFILE
from sgi.domain.slide import Slide

Get = Callable[..., Any]


def opened(answer: Any, media_type: str = "image/jpeg") -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    return Image.open(io.BytesIO(answer.content))


def test_a_frame_is_untouched_where_nothing_else_is_asked(
    get: Get, base_path: str, frame_of: Callable[[int, int], bytes]
) -> None:
    assert get(f"{base_path}/frames/2/rendered").content == frame_of(0, 1)
    picture = opened(get(f"{base_path}/frames/2/rendered", "image/png"), "image/png")
    np.testing.assert_array_equal(np.asarray(picture), imagecodecs.jpeg_decode(frame_of(0, 1)))


def test_a_frame_in_a_viewport(get: Get, base_path: str, pixels: Any) -> None:
    picture = opened(get(f"{base_path}/frames/1/rendered", viewport="32,64"))
    assert picture.size == (32, 32)
    part = opened(
        get(f"{base_path}/frames/2/rendered", "image/png", viewport="200,200,10,20,50,40"),
        "image/png",
    )
    assert part.size == (50, 40), "never enlarged"
    expected = pixels[20:60, 138:188].astype(int)
    assert np.abs(np.asarray(part).astype(int) - expected).mean() < 4


def test_an_instance_as_a_whole(get: Get, base_path: str, slide: Slide, pixels: Any) -> None:
    whole = opened(get(f"{base_path}/rendered", "image/png"), "image/png")
    assert whole.size == (600, 420)
    assert np.abs(np.asarray(whole).astype(int) - pixels).mean() < 4
    assert opened(get(f"{base_path}/rendered", viewport="300,300")).size == (300, 210)
    part = opened(get(f"{base_path}/rendered", viewport="900,900,100,50,200,100"))
    assert part.size == (200, 100)
    expected = pixels[50:150, 100:300].astype(int)
    assert np.abs(np.asarray(part).astype(int) - expected).mean() < 5


def test_a_coarser_level_in_its_own_pixels(get: Get, series_path: str, slide: Slide) -> None:
    level = slide.levels[1]
    path = f"{series_path}/instances/{level.sop_uid}/rendered"
    assert opened(get(path)).size == (level.columns, level.rows)
    assert opened(get(path, viewport="50,50,10,10,40,40")).size == (40, 40)


def test_label_and_overview(get: Get, series_path: str, slide: Slide, pixels: Any) -> None:
    label = slide.instance("label")
    assert label
    path = f"{series_path}/instances/{label.sop_uid}/rendered"
    picture = opened(get(path, "image/png"), "image/png")
    assert picture.size == (label.columns, label.rows)
    assert opened(get(path)).size == (label.columns, label.rows)


def test_quality(get: Get, base_path: str) -> None:
    for path in (f"{base_path}/rendered", f"{base_path}/frames/1/rendered"):
        sizes = [len(get(path, quality=quality).content) for quality in (5, 50, 100)]
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[2] / 3


def test_colour_profiles(get: Get, base_path: str) -> None:
    for path in (f"{base_path}/rendered", f"{base_path}/frames/1/rendered"):
        for accept in ("image/jpeg", "image/png"):
            assert "icc_profile" not in opened(get(path, accept), accept).info
            assert "icc_profile" not in opened(get(path, accept, iccprofile="no"), accept).info
            for named in ("yes", "srgb", "displayp3"):
                picture = opened(get(path, accept, iccprofile=named), accept)
                assert len(picture.info["icc_profile"]) > 300, (path, accept, named)


def test_several_frames_are_parts(get: Get, base_path: str) -> None:
    answer = get(f"{base_path}/frames/1,2/rendered", 'multipart/related; type="image/png"')
    assert answer.status_code == 200
    assert answer.content.count(b"\x89PNG") == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"viewport": "10"}, 400),
        ({"viewport": "0,10"}, 400),
        ({"viewport": "9999999,10"}, 400),
        ({"viewport": "10,10,700,0,5,5"}, 400),
        ({"viewport": "10,10,0,0,-5,5"}, 400),
        ({"viewport": "10,10,0,0,0,5"}, 400),
        ({"viewport": "nan,10"}, 400),
        ({"window": "1,2"}, 400),
        ({"window": "1,2,sigmoid"}, 400),
        ({"window": "1,0,linear"}, 400),
        ({"quality": "0"}, 400),
        ({"quality": "101"}, 400),
        ({"iccprofile": "adobergb"}, 400),
        ({"annotation": "patient"}, 400),
        ({"quality": ["1", "2"]}, 400),
    ],
    ids=str,
)
def test_what_cannot_be_rendered(get: Get, base_path: str, query: Any, status: int) -> None:
    for path in (f"{base_path}/rendered", f"{base_path}/frames/1/rendered"):
        answer = get(path, **query)
        assert answer.status_code == status
        assert answer.json()["detail"].endswith(".")


def test_forms_that_are_not_given(get: Get, base_path: str) -> None:
    for accept in ("image/gif", "application/dicom", "video/mp4"):
        assert get(f"{base_path}/rendered", accept).status_code == 406
    assert get(f"{base_path}/frames/1,2/rendered", "image/jpeg").status_code == 406


def test_thumbnails(get: Get, slide: Slide, series_path: str, base_path: str) -> None:
    for path in (f"/studies/{slide.study_uid}", series_path, base_path):
        assert max(opened(get(f"{path}/thumbnail")).size) == 256
        assert max(opened(get(f"{path}/thumbnail", viewport="64,64")).size) == 64
    label = slide.instance("label")
    assert label
    own = opened(get(f"{series_path}/instances/{label.sop_uid}/thumbnail"))
    assert own.size == (label.columns, label.rows)


def test_srgb_of_a_slide_that_is_srgb_changes_nothing(get: Get, base_path: str) -> None:
    plain = opened(get(f"{base_path}/frames/1/rendered", "image/png"), "image/png")
    converted = opened(
        get(f"{base_path}/frames/1/rendered", "image/png", iccprofile="srgb"), "image/png"
    )
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(converted))
    assert SRGB_PROFILE

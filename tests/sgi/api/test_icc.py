"""Colours: raw with the profile beside them, or converted where that is asked for."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from sgi.domain.slide import Slide
from sgi.stored.keys import instance_key
from tiling.array_slide import ArraySlide
from tiling.colour import Target, profile_of
from tiling.geometry import Size
from tiling.matrix_profile import DISPLAY_P3, INPUT, matrix_profile
from tiling.slide import OpticalPath, Pixels, SlideMetadata

_WADO = {Target.SRGB: "srgb", Target.DISPLAY_P3: "displayp3"}
PROFILE = matrix_profile("A scanner", DISPLAY_P3, INPUT)


def told(pixels: Pixels, profile: bytes | None) -> ArraySlide:
    said = SlideMetadata(icc_profile=profile)
    layers = np.ascontiguousarray(pixels[:200, :300])[None, None]
    return ArraySlide(layers, [OpticalPath()], tile=Size(128, 128), metadata=said)


@pytest.fixture
def coloured(
    here: Any, store: Any, publish_reader: Callable[..., Slide], pixels: Pixels
) -> Callable[[bytes | None], Slide]:
    return lambda profile: publish_reader(here, store, told(pixels, profile))


def shown(web: Any, client: Any, address: str) -> tuple[Pixels, bytes | None]:
    """The pixels, and the profile that the file says they have."""
    answer = web.get(client, address)
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image), image.info.get("icc_profile")


@pytest.mark.parametrize("profile", [PROFILE, PROFILE + b"x" * 101, b"profile!"])
def test_the_profile_is_given_as_it_was_stored(
    web: Any, client: Any, coloured: Callable[..., Slide], profile: bytes
) -> None:
    answer = web.get(client, f"/slides/{coloured(profile).id}/icc")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.iccprofile"
    assert answer.content.rstrip(b"\0") == profile.rstrip(b"\0")


def test_a_profile_of_an_odd_length_keeps_it(
    web: Any, client: Any, coloured: Callable[..., Slide]
) -> None:
    odd = (len(PROFILE) + 1).to_bytes(4, "big") + PROFILE[4:] + b"x"
    assert web.get(client, f"/slides/{coloured(odd).id}/icc").content == odd


def test_a_slide_without_one_has_none(
    web: Any, client: Any, coloured: Callable[..., Slide]
) -> None:
    slide = coloured(None)
    assert web.get(client, f"/slides/{slide.id}/icc").status_code == 404


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("kind", ["tile", "iiif", "rendered"])
def test_a_slide_without_one_is_taken_for_srgb(
    web: Any, client: Any, coloured: Callable[..., Slide], target: Target, kind: str
) -> None:
    slide = coloured(None)
    if kind == "rendered":
        series = f"/studies/{slide.study_uid}/series/{slide.series_uid}"
        address = f"/dicomweb{series}/instances/{slide.levels[0].sop_uid}/frames/1/rendered"
        raw, _ = shown(web, client, f"/tiles/{slide.id}/0/0/0")
        converted, profile = shown(web, client, f"{address}?iccprofile={_WADO[target]}")
    else:
        address = f"/tiles/{slide.id}/0/0/0"
        if kind == "iiif":
            address = f"/iiif/3/{slide.id}/0,0,128,128/128,128/0/default.png"
        raw, _ = shown(web, client, address)
        converted, profile = shown(web, client, f"{address}?icc={target}")
    assert profile == profile_of(target)
    expected = ImageCms.profileToProfile(
        Image.fromarray(raw),
        ImageCms.ImageCmsProfile(io.BytesIO(profile_of(Target.SRGB))),
        ImageCms.ImageCmsProfile(io.BytesIO(profile_of(target))),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert np.abs(converted.astype(int) - np.asarray(expected)).mean() < 1.5


def test_a_stranger_gets_no_profile(
    web: Any, coloured: Callable[..., Slide], make_establishment: Callable[..., Any]
) -> None:
    slide = coloured(PROFILE)
    stranger = web.signed_in(make_establishment())
    assert web.get(stranger, f"/slides/{slide.id}/icc").status_code == 404
    assert web.get(web.client(), f"/slides/{slide.id}/icc").status_code == 401


@pytest.mark.parametrize("target", Target)
def test_tiles_are_raw_unless_they_are_to_be_converted(
    web: Any, client: Any, coloured: Callable[..., Slide], target: Target
) -> None:
    address = f"/tiles/{coloured(PROFILE).id}/0/1/0"
    raw, no_profile = shown(web, client, address)
    assert no_profile is None
    converted, profile = shown(web, client, f"{address}?icc={target}")
    assert profile == profile_of(target)
    expected = ImageCms.profileToProfile(
        Image.fromarray(raw),
        ImageCms.ImageCmsProfile(io.BytesIO(PROFILE)),
        ImageCms.ImageCmsProfile(io.BytesIO(profile_of(target))),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert np.abs(converted.astype(int) - np.asarray(expected)).mean() < 1.5
    assert (np.abs(converted.astype(int) - raw).mean() > 2) == (target is Target.SRGB)


def test_converted_tiles_have_a_name_of_their_own(
    web: Any, client: Any, coloured: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/tiles/{coloured(PROFILE).id}/0/0/0"
    tags = [
        web.get(client, f"{address}{query}").headers["etag"]
        for query in ("", "?icc=srgb", "?icc=display-p3")
    ]
    assert len(set(tags)) == 3
    again = web.get(client, f"{address}?icc=srgb", headers={"if-none-match": tags[1]})
    assert again.status_code == 304
    monkeypatch.setattr("sgi.api.rendered.render_tile", None)
    assert web.get(client, f"{address}?icc=srgb").status_code == 200, "it was kept"


def test_a_field_of_view_is_converted_too(
    web: Any, client: Any, coloured: Callable[..., Slide]
) -> None:
    slide = coloured(PROFILE)
    field = web.get(client, f"/tiles/{slide.id}/0?columns=0-1&rows=0-1&icc=srgb")
    alone = web.get(client, f"/tiles/{slide.id}/0/1/1?icc=srgb")
    assert alone.content in field.content


@pytest.mark.parametrize("icc", ["", "sRGB", "adobe", "srgb,display-p3", "\x00"])
def test_other_colours_are_not_there(
    web: Any, client: Any, coloured: Callable[..., Slide], icc: str
) -> None:
    answer = web.get(client, f"/tiles/{coloured(PROFILE).id}/0/0/0", params={"icc": icc})
    assert answer.status_code == (200 if not icc else 404)  # an empty name is no name


def test_a_broken_profile_leaves_the_raw_tiles(
    web: Any, client: Any, coloured: Callable[..., Slide]
) -> None:
    slide = coloured(b"profile!")
    address = f"/tiles/{slide.id}/0/0/0"
    assert web.get(client, address).status_code == 200
    assert web.get(client, f"{address}?icc=srgb").status_code == 502
    iiif = f"/iiif/3/{slide.id}/full/max/0/default.jpg"
    assert web.get(client, iiif).status_code == 200
    assert web.get(client, f"{iiif}?icc=srgb").status_code == 502


def test_a_profile_that_rotted_is_never_given(
    web: Any, client: Any, coloured: Callable[..., Slide], store: Any
) -> None:
    slide = coloured(PROFILE)
    key = instance_key(slide.id, slide.levels[-1].sop_uid)
    data = bytearray(store.objects[key])
    data[data.index(PROFILE) + 200] ^= 1
    store.objects[key] = bytes(data)
    assert web.get(client, f"/slides/{slide.id}/icc").status_code == 500

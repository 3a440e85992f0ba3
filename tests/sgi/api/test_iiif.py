"""The IIIF Image API 3.0 and its level 2, clause by clause: each test names its sections."""

import asyncio
import io
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms

from sgi.domain.slide import Slide
from tiling.array_slide import ArraySlide
from tiling.codecs import jpeg
from tiling.geometry import Size, TileGrid
from tiling.matrix_profile import DISPLAY_P3, INPUT, matrix_profile
from tiling.slide import OpticalPath, Pixels, SlideMetadata

COLUMNS, ROWS = 599, 421
PROFILE = matrix_profile("A scanner", DISPLAY_P3, INPUT)


class InThread:
    """What unpacks, without a process for each test."""

    async def run(
        self, function: Callable[..., bytes], *arguments: Any, slide: object = None
    ) -> bytes:
        return await asyncio.to_thread(function, *arguments)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def in_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sgi.api.regions.Decoders", lambda *_: InThread())


@pytest.fixture
def slide(here: Any, store: Any, publish_reader: Callable[..., Slide], pixels: Pixels) -> Slide:
    drawn = np.tile(pixels, (2, 1, 1))[None, None, :ROWS, :COLUMNS]
    said = SlideMetadata(icc_profile=PROFILE)
    return publish_reader(
        here, store, ArraySlide(drawn, [OpticalPath()], tile=Size(128, 128), metadata=said)
    )


@pytest.fixture
def image(slide: Slide, frame_of: Callable[[int, int], bytes]) -> Pixels:
    """The base, put together from what is in the store."""
    grid = TileGrid(Size(COLUMNS, ROWS), Size(128, 128))
    whole = np.zeros((grid.tiles.rows * 128, grid.tiles.columns * 128, 3), np.uint8)
    for column, row in grid.positions():
        tile = jpeg.decode(frame_of(0, grid.frame_index(column, row)))
        whole[row * 128 :, column * 128 :][:128, :128] = tile
    return whole[:ROWS, :COLUMNS]


class Iiif:
    """Asks for one slide's pictures."""

    def __init__(self, web: Any, client: Any, slide: Slide) -> None:
        self.web, self.client = web, client
        self.path = f"/iiif/3/{slide.id}"
        self.uri = f"{web.base_url}{self.path}"

    def get(self, words: str, **options: Any) -> httpx.Response:
        answer: httpx.Response = self.web.get(self.client, f"{self.path}/{words}", **options)
        return answer

    def status(self, words: str) -> int:
        return self.get(words).status_code

    def shown(self, words: str) -> Pixels:
        answer = self.get(words)
        assert answer.status_code == 200, f"{words}: {answer.text}"
        with Image.open(io.BytesIO(answer.content)) as picture:
            return np.asarray(picture)

    def size(self, region_and_size: str) -> tuple[int, int]:
        rows, columns = self.shown(f"{region_and_size}/0/default.png").shape[:2]
        return columns, rows

    def canonical(self, words: str) -> str:
        link = re.search(r'<([^>]*)>;rel="canonical"', self.get(words).headers["link"])
        assert link
        return link[1].removeprefix(f"{self.uri}/")

    def info(self) -> dict[str, Any]:
        document: dict[str, Any] = self.get("info.json").json()
        return document


@pytest.fixture
def iiif(web: Any, client: Any, slide: Slide) -> Iiif:
    return Iiif(web, client, slide)


def test_2_the_base_uri_leads_to_the_information(iiif: Iiif) -> None:
    answer = iiif.web.get(iiif.client, iiif.path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{iiif.uri}/info.json")
    assert answer.content == b""


def test_2_1_the_parts_of_an_image_request_come_in_their_order(iiif: Iiif) -> None:
    assert iiif.status("full/max/0/default.jpg") == 200
    for words in ("max/full/0/default.jpg", "full/0/max/default.jpg", "full/max/default.jpg/0"):
        assert iiif.status(words) == 400
    for words in ("full/max/0", "full/max/0/default.jpg/", "full/max/0/0/default.jpg"):
        assert iiif.status(words) == 404


def test_2_2_information_is_asked_for_under_the_same_base(iiif: Iiif) -> None:
    assert iiif.info()["id"] == iiif.uri


def test_3_and_9_an_identifier_may_be_encoded_and_never_holds_a_slash(iiif: Iiif) -> None:
    encoded = iiif.path.replace("-", "%2D")
    assert iiif.web.get(iiif.client, f"{encoded}/full/max/0/default.jpg").status_code == 200
    for wrong in ("a/b", "a%2Fb", "[frob]", "nobody", iiif.path[8:].upper()):
        url = httpx.URL(f"{iiif.web.base_url}/iiif/3/{wrong}/full/max/0/default.jpg")
        assert iiif.web.get(iiif.client, url).status_code == 404


def test_4_1_region_full_and_square(iiif: Iiif, image: Pixels) -> None:
    np.testing.assert_array_equal(iiif.shown("full/max/0/default.png"), image)
    left = (COLUMNS - ROWS) // 2
    square = iiif.shown("square/max/0/default.png")
    np.testing.assert_array_equal(square, image[:, left : left + ROWS])


def test_4_1_region_in_pixels(iiif: Iiif, image: Pixels) -> None:
    shown = iiif.shown("125,15,120,140/max/0/default.png")
    np.testing.assert_array_equal(shown, image[15:155, 125:245])


def test_4_1_region_in_percent(iiif: Iiif, image: Pixels) -> None:
    shown = iiif.shown("pct:41.6,7.5,40,70/max/0/default.png")
    left, right = round(COLUMNS * 0.416), round(COLUMNS * 0.816)
    top, bottom = round(ROWS * 0.075), round(ROWS * 0.775)
    np.testing.assert_array_equal(shown, image[top:bottom, left:right])


def test_4_1_a_region_is_cropped_at_the_edge(iiif: Iiif, image: Pixels) -> None:
    shown = iiif.shown("500,400,200,200/max/0/default.png")
    np.testing.assert_array_equal(shown, image[400:, 500:])
    assert iiif.size("pct:50,50,66.6,100/max") == (COLUMNS - 300, ROWS - 211)


def test_4_1_a_region_without_extent_or_beyond_the_image_is_refused(iiif: Iiif) -> None:
    for region in (
        *("0,0,0,10", "0,0,10,0", "599,0,1,1", "0,421,1,1", "pct:0,0,0,10", "pct:100,0,1,1"),
        *("-1,0,10,10", "1.5,0,10,10", "0,0,10", "0,0,10,10,10", "pct:-1,0,5,5", "pct:1,2,3"),
        *("", "Full", "pct:", "0,0,1e3,5", "x,y,w,h", "0, 0,10,10", "0,0,+5,5", "9" * 200),
        *("\u0661,0,10,10", "0,0,99999999999,5"),
    ):
        assert iiif.status(f"{region}/max/0/default.jpg") in ({404} if not region else {400}), (
            region
        )


def test_4_2_size_max_is_the_region_itself(iiif: Iiif) -> None:
    assert iiif.size("full/max") == (COLUMNS, ROWS)
    assert iiif.size("10,20,300,200/max") == (300, 200)


def test_4_2_size_by_width_or_height_keeps_the_shape(iiif: Iiif) -> None:
    assert iiif.size("full/150,") == (150, round(ROWS * 150 / COLUMNS))
    assert iiif.size("full/,150") == (round(COLUMNS * 150 / ROWS), 150)
    assert iiif.size("0,0,300,10/30,") == (30, 1)
    assert iiif.size("0,0,500,1/5,") == (5, 1)


def test_4_2_size_in_percent(iiif: Iiif) -> None:
    assert iiif.size("full/pct:50") == (300, 211)
    assert iiif.size("full/pct:100") == (COLUMNS, ROWS)
    assert iiif.size("full/pct:0.5") == (3, 2)


def test_4_2_size_by_width_and_height_may_distort(iiif: Iiif) -> None:
    assert iiif.size("full/225,100") == (225, 100)
    assert iiif.size("0,0,100,100/10,90") == (10, 90)


def test_4_2_size_confined_is_as_large_as_it_may_be(iiif: Iiif) -> None:
    assert iiif.size("square/!225,100") == (100, 100)
    assert iiif.size("full/!300,400") == (300, 211)
    assert iiif.size("0,0,50,40/!300,400") == (50, 40), "not larger than the region"


def test_4_2_what_is_larger_than_the_region_is_refused(iiif: Iiif) -> None:
    for size in ("600,", ",422", "600,421", "599,422", "pct:101", "pct:100.0001", "9999999,"):
        assert iiif.status(f"full/{size}/0/default.jpg") == 400, size


def test_4_2_enlarging_is_not_implemented(iiif: Iiif) -> None:
    for size in ("^max", "^600,", "^,422", "^600,422", "^pct:120", "^!700,700"):
        assert iiif.status(f"full/{size}/0/default.jpg") == 501, size
    assert iiif.size("full/^150,") == iiif.size("full/150,"), "what does not enlarge is given"
    assert iiif.size("full/^!150,150") == iiif.size("full/!150,150")


def test_4_2_less_than_a_pixel_and_other_words_are_refused(iiif: Iiif) -> None:
    for size in (
        *("0,", ",0", "0,0", "!0,5", "pct:0", "pct:0.01", ",", "", "full", "^", "!", "pct:"),
        *("10", "10,10,10", "10px,", "-5,", "^^5,", "!^5,5", "1.5,", "^pct:x", "max,"),
    ):
        assert iiif.status(f"full/{size}/0/default.jpg") == (400 if size else 404), size


def test_4_3_rotation_is_clockwise_and_keeps_everything(iiif: Iiif) -> None:
    plain = iiif.shown("10,20,90,50/max/0/default.png")
    for turns, degrees in enumerate(("0", "90", "180", "270", "360", "90.0", "180.000", "00")):
        turned = iiif.shown(f"10,20,90,50/max/{degrees}/default.png")
        times = {4: 0, 5: 1, 6: 2, 7: 0}.get(turns, turns)
        np.testing.assert_array_equal(turned, np.rot90(plain, -times))


def test_4_3_mirrored_before_it_is_rotated(iiif: Iiif) -> None:
    plain = iiif.shown("10,20,90,50/max/0/default.png")
    for times, degrees in enumerate(("!0", "!90", "!180", "!270")):
        turned = iiif.shown(f"10,20,90,50/max/{degrees}/default.png")
        np.testing.assert_array_equal(turned, np.rot90(plain[:, ::-1], -times))


def test_4_3_a_rotation_out_of_range_or_not_offered_is_refused(iiif: Iiif) -> None:
    for rotation in ("22.5", "450", "-90", "+90", "!", "!!0", "0!", "90deg", "nan", "9e1", "1"):
        assert iiif.status(f"full/max/{rotation}/default.jpg") == 400, rotation


def test_4_4_qualities(iiif: Iiif, image: Pixels) -> None:
    np.testing.assert_array_equal(iiif.shown("full/max/0/color.png"), image)
    grey = iiif.shown("full/max/0/gray.png")
    assert np.abs(grey - image @ np.array([0.299, 0.587, 0.114])).max() <= 1
    assert set(np.unique(iiif.shown("full/max/0/bitonal.png"))) == {0, 255}
    assert {"color", "gray", "bitonal"} == set(iiif.info()["extraQualities"])
    for quality in ("native", "grey", "Default", ""):
        assert iiif.status(f"full/max/0/{quality}.jpg") == 400, quality


def test_4_5_formats(iiif: Iiif) -> None:
    for suffix, kind in (("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")):
        answer = iiif.get(f"full/100,/0/default.{suffix}")
        assert answer.headers["content-type"] == f"image/{kind.lower()}"
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.format == kind
    for suffix in ("tif", "gif", "jp2", "pdf", "jpeg", "JPG", "exe", ""):
        assert iiif.status(f"full/max/0/default.{suffix}") == 400, suffix
    assert iiif.status("full/max/0/default") == 400


def test_4_6_region_then_size_then_rotation_then_quality(iiif: Iiif) -> None:
    shown = iiif.shown("125,15,120,140/90,/!90/gray.png")
    assert shown.shape == (90, 105)
    colours = Image.fromarray(iiif.shown("125,15,120,140/90,/!90/color.png"))
    np.testing.assert_array_equal(shown, np.asarray(colours.convert("L")))


def test_4_7_floating_point_values(iiif: Iiif) -> None:
    for number in ("50", "50.0", "50.", "050"):
        assert iiif.size(f"full/pct:{number}") == (300, 211)
    assert iiif.size("full/pct:.5") == iiif.size("full/pct:0.5")
    for number in ("+50", "5e1", "50%25", "inf", "0x10", "5_0", "1,5", "50.0.0", "٥"):
        assert iiif.status(f"full/pct:{number}/0/default.jpg") == 400, number


def test_4_8_the_canonical_uri_is_told(iiif: Iiif) -> None:
    for words, canonical in (
        ("full/max/0/default.jpg", "full/max/0/default.jpg"),
        ("0,0,599,421/599,/0/color.jpg", "full/max/0/default.jpg"),
        ("pct:0,0,100,100/pct:50/0/default.png", "full/300,211/0/default.png"),
        ("square/!100,50/90.0/gray.jpg", "89,0,421,421/50,50/90/gray.jpg"),
        ("500,400,200,200/max/!360/default.jpg", "500,400,99,21/max/!0/default.jpg"),
        ("full/^150,/0/default.jpg", "full/150,105/0/default.jpg"),
    ):
        assert iiif.canonical(words) == canonical
        assert iiif.canonical(canonical) == canonical
        assert iiif.get(words).content == iiif.get(canonical).content
        assert iiif.get(words).headers["etag"] == iiif.get(canonical).headers["etag"]


def test_4_9_colours_are_converted_by_a_query_parameter(iiif: Iiif, image: Pixels) -> None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(PROFILE))
    expected = ImageCms.profileToProfile(
        Image.fromarray(image),
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    shown = iiif.shown("full/max/0/default.png?icc=srgb").astype(int)
    assert np.abs(shown - np.asarray(expected)).max() <= 1
    assert np.abs(shown - image).max() > 5
    same = iiif.shown("full/max/0/default.png?icc=display-p3").astype(int)
    assert np.abs(same - image).max() <= 1
    assert iiif.canonical("full/max/0/color.jpg?icc=srgb") == "full/max/0/default.jpg?icc=srgb"
    for query in ("icc=cmyk", "icc=", "path=x", "plane=-1"):
        assert iiif.status(f"full/max/0/default.jpg?{query}") == 400, query
    for query in ("path=1", "plane=1"):
        assert iiif.status(f"full/max/0/default.jpg?{query}") == 404, query


def test_5_1_the_information_is_json_ld_unless_json_is_preferred(iiif: Iiif) -> None:
    json_ld = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    for accept, kind in (
        ("", json_ld),
        ("*/*", json_ld),
        ("application/ld+json", json_ld),
        ('application/ld+json;profile="http://iiif.io/api/image/3/context.json"', json_ld),
        ("application/json", "application/json"),
        ("application/json;charset=utf-8, */*;q=0.1", "application/json"),
        ("application/json;q=0.5, application/ld+json", json_ld),
        ("application/json, application/ld+json;q=0.5", "application/json"),
        ("text/html, */*;q=0.8", json_ld),
        ("application/json;q=high", "application/json"),
    ):
        answer = iiif.get("info.json", headers={"accept": accept})
        assert answer.headers["content-type"] == kind, accept
        assert "accept" in answer.headers["vary"].lower()
    del iiif.client.headers["accept"]
    assert iiif.get("info.json").headers["content-type"] == json_ld


def test_5_2_technical_properties(iiif: Iiif) -> None:
    answer = iiif.get("info.json")
    assert next(iter(json.loads(answer.text))) == "@context", "it comes first"
    info = answer.json()
    assert info["@context"] == "http://iiif.io/api/image/3/context.json"
    assert (info["type"], info["protocol"]) == ("ImageService3", "http://iiif.io/api/image")
    assert (info["profile"], info["width"], info["height"]) == ("level2", COLUMNS, ROWS)
    for name in ("maxWidth", "maxHeight", "maxArea"):
        assert isinstance(info[name], int)


def test_5_2_larger_than_the_limits_is_refused_and_max_is_the_largest(
    iiif: Iiif, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sgi.api.regions.LONGEST_SIDE", 400)
    assert iiif.size("full/max") == (400, 281)
    assert iiif.canonical("full/400,281/0/default.jpg") == "full/max/0/default.jpg"
    assert iiif.size("full/^max") == (400, 281), "nothing is enlarged by that"
    assert iiif.size("full/!500,500") == (400, 281)
    answer = iiif.get("full/500,/0/default.jpg")
    assert answer.status_code == 400
    assert "400 x 281" in answer.json()["detail"]
    info = iiif.info()
    assert info["maxWidth"] == info["maxHeight"] == 400
    monkeypatch.setattr("sgi.api.regions.MOST_PIXELS", 50_000)
    columns, rows = iiif.size("full/max")
    assert columns * rows <= 50_000 < (columns + 2) * (rows + 2)
    info = iiif.info()
    assert info["maxArea"] == 50_000
    assert all(size["width"] * size["height"] <= 50_000 for size in info["sizes"])
    assert all(tile["width"] * tile["height"] <= 50_000 for tile in info["tiles"])


def test_5_3_every_size_that_is_listed_is_given(iiif: Iiif) -> None:
    sizes = iiif.info()["sizes"]
    assert sizes == [{"width": 300, "height": 211}, {"width": COLUMNS, "height": ROWS}]
    for size in sizes:
        assert iiif.size(f"full/{size['width']},{size['height']}") == (
            size["width"],
            size["height"],
        )


def test_5_4_every_tile_that_is_listed_is_given(iiif: Iiif, image: Pixels) -> None:
    (tiles,) = iiif.info()["tiles"]
    assert tiles == {"width": 128, "height": 128, "scaleFactors": [1, 2]}
    for factor in tiles["scaleFactors"]:
        whole = iiif.shown(f"full/{-(-COLUMNS // factor)},/0/default.png").astype(int)
        span = 128 * factor
        for top in range(0, ROWS, span):
            for left in range(0, COLUMNS, span):
                columns, rows = min(span, COLUMNS - left), min(span, ROWS - top)
                size = f"{-(-columns // factor)},{-(-rows // factor)}"
                shown = iiif.shown(f"{left},{top},{columns},{rows}/{size}/0/default.png")
                y, x = top // factor, left // factor
                expected = whole[y : y + shown.shape[0], x : x + shown.shape[1]]
                np.testing.assert_array_equal(shown, expected)


def test_5_6_no_rights_are_made_up(iiif: Iiif) -> None:
    assert not {"rights", "partOf", "seeAlso", "service"} & set(iiif.info())


def test_5_7_extra_functionality_is_told_and_there(iiif: Iiif) -> None:
    info = iiif.info()
    assert info["extraFormats"] == ["webp"]
    features = set(info["extraFeatures"])
    assert features == {"canonicalLinkHeader", "mirroring", "profileLinkHeader"}
    assert "sizeUpscaling" not in features
    assert "rotationArbitrary" not in features


def test_6_the_profile_is_linked_from_pictures_and_information(iiif: Iiif) -> None:
    for words in ("full/100,/0/default.jpg", "info.json"):
        link = iiif.get(words).headers["link"]
        assert '<http://iiif.io/api/image/3/level2.json>;rel="profile"' in link


def test_7_head_is_answered_and_nothing_is_changed(iiif: Iiif) -> None:
    for words in ("full/100,/0/default.jpg", "info.json"):
        answer = iiif.web.run(iiif.client.head(f"{iiif.path}/{words}"))
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["etag"] == iiif.get(words).headers["etag"]
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = iiif.web.run(iiif.client.request(method, f"{iiif.path}/info.json"))
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_7_2_a_client_that_has_it_gets_304(iiif: Iiif) -> None:
    for words in ("full/100,/0/default.jpg", "info.json"):
        etag = iiif.get(words).headers["etag"]
        answer = iiif.get(words, headers={"if-none-match": etag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert "private" in answer.headers["cache-control"]
        assert "cookie" in answer.headers["vary"].lower()


def test_7_3_errors_are_said_in_words(iiif: Iiif) -> None:
    for words, status in (("x/max/0/default.jpg", 400), ("full/^max/0/default.jpg", 501)):
        answer = iiif.get(words)
        assert answer.status_code == status
        assert answer.json()["detail"].endswith(".")
        assert "etag" not in answer.headers


def test_8_nobody_sees_anything_without_a_session(web: Any, iiif: Iiif) -> None:
    anybody = web.client()
    for words in ("", "/info.json", "/full/max/0/default.jpg", "/x/x/x/x.x"):
        assert web.get(anybody, f"{iiif.path}{words}").status_code == 401


def test_10_another_establishments_slide_is_not_there(
    web: Any, iiif: Iiif, make_establishment: Callable[..., Any]
) -> None:
    stranger = web.signed_in(make_establishment())
    for words in ("", "/info.json", "/full/max/0/default.jpg", "/x/x/x/x.x"):
        assert web.get(stranger, f"{iiif.path}{words}").status_code == 404


def test_10_a_host_that_is_none_is_never_repeated(iiif: Iiif) -> None:
    for host in ("evil.example/<script>", 'a"b', "a b"):
        answer = iiif.get("info.json", headers={"host": host})
        assert answer.status_code == 400
        assert host not in answer.text


def test_looking_is_a_view_in_the_audit_once(
    iiif: Iiif, here: Any, slide: Slide, audit_rows: Any
) -> None:
    for words in ("info.json", "full/100,/0/default.jpg", "full/100,/0/default.png"):
        iiif.get(words)
    rows = [row for row in audit_rows(here) if row["action"] == "view_slide"]
    assert [row["object_id"] for row in rows] == [slide.id]


def test_the_name_of_the_file_is_not_told(iiif: Iiif, slide: Slide) -> None:
    assert slide.file_name not in iiif.get("info.json").text

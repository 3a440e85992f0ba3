import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import storage.errors
from sgi.domain.slide import Slide
from tiling.geometry import Size, TileGrid

FrameOf = Callable[[int, int], bytes]

NOWHERE = "0e984725-c51c-4bf4-9960-e1c80e27aba0"


def test_every_tile_is_the_stored_frame(
    web: Any, client: Any, slide: Slide, frame_of: FrameOf
) -> None:
    assert len(slide.levels) > 1
    for level in slide.levels:
        assert level.level is not None
        tile = Size(level.tile_columns, level.tile_rows)
        grid = TileGrid(Size(level.columns, level.rows), tile)
        for column, row in grid.positions():
            answer = web.get(client, f"/tiles/{slide.id}/{level.level}/{column}/{row}")
            assert answer.status_code == 200
            assert answer.content == frame_of(level.level, grid.frame_index(column, row))
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["content-length"] == str(len(answer.content))
            assert "immutable" in answer.headers["cache-control"]
            assert "private" in answer.headers["cache-control"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.content[:2] == b"\xff\xd8"


def test_the_browser_that_has_it_gets_nothing(web: Any, client: Any, slide: Slide) -> None:
    url = f"/tiles/{slide.id}/0/1/1"
    etag = web.get(client, url).headers["etag"]
    for sent in (etag, f'"other", {etag}', f"W/{etag}"):
        answer = web.get(client, url, headers={"if-none-match": sent})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    for sent in ('"other"', etag.strip('"'), etag[:-2] + '"'):
        assert web.get(client, url, headers={"if-none-match": sent}).status_code == 200
    other = web.get(client, f"/tiles/{slide.id}/0/1/0").headers["etag"]
    assert other != etag


def test_head_tells_without_the_bytes(web: Any, client: Any, slide: Slide) -> None:
    got = web.get(client, f"/tiles/{slide.id}/0/0/0")
    answer = web.run(client.head(f"/tiles/{slide.id}/0/0/0"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(got.content))
    assert answer.headers["etag"] == got.headers["etag"]


@pytest.mark.parametrize(
    "place",
    [
        "0/5/0",
        "0/0/4",
        "99/0/0",
        "0/999999999/0",
        "0/9999999999/0",
        "9" * 400 + "/0/0",
        "-1/0/0",
        "0/-1/0",
        "0/+1/0",
        "0/1.0/0",
        "0/1e0/0",
        "0/0x1/0",
        "0/%20/0",
        "0/1%20/0",
        "0/١/0",
        "0/²/0",
        "0/1_0/0",
        "x/0/0",
        "0/0/0%0A",
        "0/%00/0",
    ],
)
def test_beyond_the_grid_there_is_nothing(web: Any, client: Any, slide: Slide, place: str) -> None:
    answer = web.get(client, httpx.URL(f"{web.base_url}/tiles/{slide.id}/{place}"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("slide_id", ["x", NOWHERE, "%00", "..", "9" * 500, "😐", "", "0" * 32])
def test_no_such_slide(web: Any, client: Any, slide_id: str) -> None:
    url = httpx.URL(f"{web.base_url}/tiles/{slide_id.replace('..', '%2e%2e')}/0/0/0")
    assert web.get(client, url).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_tiles_are_only_read(web: Any, client: Any, slide: Slide, method: str) -> None:
    answer = web.run(client.request(method, f"/tiles/{slide.id}/0/0/0"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_damaged_frame_is_never_shown(
    web: Any, client: Any, slide: Slide, frame_of: FrameOf, rot: Callable[[int, int], None]
) -> None:
    rot(0, 3)
    answer = web.get(client, f"/tiles/{slide.id}/0/3/0")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "damaged" in answer.json()["detail"]
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    good = web.get(client, f"/tiles/{slide.id}/0/2/0")
    assert good.content == frame_of(0, 2)


def test_a_missing_object(web: Any, client: Any, slide: Slide, store: Any) -> None:
    store.objects.clear()
    answer = web.get(client, f"/tiles/{slide.id}/0/0/0")
    assert answer.status_code == 500
    assert str(slide.id) not in answer.text


def test_a_store_that_is_away_and_comes_back(
    web: Any, client: Any, slide: Slide, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bytes:
        raise storage.errors.StoreUnavailableError("http://10.0.0.1:9000 does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(store, "read_range", away)
        answer = web.get(client, f"/tiles/{slide.id}/0/0/0")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "10.0.0.1" not in answer.text
    assert web.get(client, f"/tiles/{slide.id}/0/0/0").status_code == 200


def test_a_tile_costs_one_read_at_most_and_no_question_to_the_catalogue(
    web: Any, client: Any, slide: Slide, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.get(client, f"/tiles/{slide.id}/0/0/0")
    database = web.services.database
    monkeypatch.setattr(database, "transaction", lambda _: pytest.fail("asked the catalogue"))
    monkeypatch.setattr(database, "anonymous", lambda: pytest.fail("asked the catalogue"))
    store.reads = 0
    for column in range(4):
        assert web.get(client, f"/tiles/{slide.id}/0/{column}/1").status_code == 200
    assert 0 < store.reads <= 4


def views(rows: list[Any]) -> list[Any]:
    return [row for row in rows if row["action"] == "view_slide"]


def test_tiles_alone_are_one_view_a_session(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    for column in range(3):
        web.get(client, f"/tiles/{slide.id}/0/{column}/0")
    (row,) = views(audit_rows(here))
    assert row["object_id"] == slide.id
    other = web.signed_in(here)
    web.get(other, f"/tiles/{slide.id}/0/0/0")
    assert len(views(audit_rows(here))) == 2


def test_a_slide_has_one_address(web: Any, here: Any, client: Any, slide: Slide) -> None:
    text = str(slide.id)
    others = (text.upper(), f"urn:uuid:{text}", f"{{{text}}}", text.replace("-", ""))
    for other in others:
        if other != text:
            assert web.get(client, f"/tiles/{other}/0/0/0").status_code == 404, other
    assert web.get(client, f"/tiles/{text}/0/0/0").status_code == 200


def test_a_whole_screen_at_once_is_one_view(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    async def screen() -> None:
        tiles = (f"/tiles/{slide.id}/0/{n}/0" for n in range(4))
        await asyncio.gather(*(client.get(tile) for tile in tiles))

    web.run(screen())
    assert len(views(audit_rows(here))) == 1


def test_opening_the_slide_is_the_view_of_its_tiles(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    assert web.get(client, f"/api/v1/slides/{slide.id}").status_code == 200
    web.get(client, f"/tiles/{slide.id}/0/0/0")
    assert len(views(audit_rows(here))) == 1
    web.get(client, f"/api/v1/slides/{slide.id}")
    assert len(views(audit_rows(here))) == 2


def test_the_address_behind_a_proxy_is_the_persons(
    make_web: Any, here: Any, slide: Slide, audit_rows: Any
) -> None:
    web = make_web("https://sgi.example", behind_tls_proxy=True)
    client = web.signed_in(here)
    headers = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "7.7.7.7, 192.0.2.7")]
    web.get(client, f"/tiles/{slide.id}/0/0/0", headers=headers)
    (row,) = views(audit_rows(here))
    assert row["address"] == "192.0.2.7", "what the client itself claims is not believed"


def test_a_session_that_ended_sees_no_tile(web: Any, client: Any, slide: Slide) -> None:
    url = f"/tiles/{slide.id}/0/0/0"
    assert web.get(client, url).status_code == 200
    token = web.token(client)
    assert web.run(client.post("/api/v1/sign-out")).status_code == 204
    stolen = web.client(cookie=f"sgi_session={token}")
    assert web.get(stolen, url).status_code == 401

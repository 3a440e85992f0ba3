"""A field of view: what its tiles' own addresses give, in order, in one answer."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest

from sgi.api import field as module
from sgi.api.in_order import in_order
from sgi.domain.slide import Slide

FrameOf = Callable[[int, int], bytes]


def parts(answer: Any) -> list[Message]:
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    whole = message_from_bytes(head + answer.content)
    assert not whole.defects, "it ends as it should"
    found = whole.get_payload()
    assert isinstance(found, list)
    return found


def tile(part: Message) -> bytes:
    # Line ends within a tile are not to be touched.
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def split(answer: Any) -> list[tuple[str, bytes]]:
    """Places and bodies, by the lengths that the parts say, as a viewer reads it."""
    boundary = answer.headers["content-type"].split("boundary=")[1]
    rest, found = answer.content, []
    while not rest.startswith(f"\r\n--{boundary}--\r\n".encode()):
        head, _, rest = rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().lstrip("\r\n").split("\r\n")
        assert first == f"--{boundary}"
        said = dict(line.split(": ") for line in lines)
        length = int(said["Content-Length"])
        found.append((said["Content-Location"], rest[:length]))
        rest = rest[length:]
    assert rest == f"\r\n--{boundary}--\r\n".encode()
    return found


def test_tiles_come_row_by_row(web: Any, client: Any, slide: Slide, frame_of: FrameOf) -> None:
    columns = -(-slide.levels[0].columns // slide.levels[0].tile_columns)
    answer = web.get(client, f"/tiles/{slide.id}/0?columns=1-3&rows=0-2")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith('multipart/related; type="image/jpeg"; ')
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    found = split(answer)
    positions = [(column, row) for row in range(3) for column in range(1, 4)]
    assert [place for place, _ in found] == [
        f"/tiles/{slide.id}/0/{column}/{row}" for column, row in positions
    ]
    for (place, data), (column, row) in zip(found, positions, strict=True):
        assert data == frame_of(0, row * columns + column)
        assert data == web.get(client, place).content
    assert len(parts(answer)) == 9
    assert {part["content-type"] for part in parts(answer)} == {"image/jpeg"}


def test_one_tile_is_a_field(web: Any, client: Any, slide: Slide, frame_of: FrameOf) -> None:
    answer = web.get(client, f"/tiles/{slide.id}/0?columns=2-2&rows=0-0&path=0&plane=0")
    assert [data for _, data in split(answer)] == [frame_of(0, 2)]


def test_its_head_alone(web: Any, client: Any, slide: Slide, store: Any) -> None:
    answer = web.run(client.head(f"/tiles/{slide.id}/0?columns=0-1&rows=0-0"))
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_damaged_tile_says_so_and_spares_the_others(
    web: Any, client: Any, slide: Slide, frame_of: FrameOf, rot: Callable[[int, int], None]
) -> None:
    rot(0, 1)
    found = parts(web.get(client, f"/tiles/{slide.id}/0?columns=0-2&rows=0-0"))
    kinds = [part["content-type"] for part in found]
    assert kinds == ["image/jpeg", "application/problem+json", "image/jpeg"]
    assert b"damaged" in tile(found[1])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("?columns=0-1", 404),
        ("?rows=0-1", 404),
        ("?columns=0-1&rows=1-0", 404),
        ("?columns=0-1&rows=0", 404),
        ("?columns=0-1&rows=0-x", 404),
        ("?columns=-1-1&rows=0-0", 404),
        ("?columns=0-99&rows=0-0", 404),
        ("?columns=0-1&rows=0-99", 404),
        ("?columns=0-1&rows=0-0&path=1", 404),
        ("?columns=0-1&rows=0-0&plane=1", 404),
        ("?columns=0-1&rows=0-0&window=5-1", 404),
        ("?columns=0-999999999&rows=0-999999999", 422),
        ("?columns=0-16&rows=0-16", 422),
        ("?columns=0-1&rows=0-0&" + "x" * 200, 404),
    ],
)
def test_what_is_no_field(web: Any, client: Any, slide: Slide, query: str, status: int) -> None:
    assert web.get(client, f"/tiles/{slide.id}/0{query}").status_code == status


def test_no_such_level_or_slide(web: Any, client: Any, slide: Slide) -> None:
    query = "columns=0-0&rows=0-0"
    for place in (
        f"{slide.id}/99",
        f"{slide.id}/x",
        "x/0",
        "0e984725-c51c-4bf4-9960-e1c80e27aba0/0",
    ):
        assert web.get(client, f"/tiles/{place}?{query}").status_code == 404


def test_it_asks_what_a_tile_asks(
    web: Any, here: Any, there: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    address = f"/tiles/{slide.id}/0?columns=0-1&rows=0-1"
    assert web.get(web.client(), address).status_code == 401
    assert web.get(web.signed_in(there), address).status_code == 404
    for _ in range(2):
        assert web.get(client, address).status_code == 200
    views = [row for row in audit_rows(here) if row["action"] == "view_slide"]
    assert [row["object_id"] for row in views] == [slide.id]
    assert web.run(client.post("/api/v1/sign-out")).status_code == 204
    assert web.get(client, address).status_code == 401


def test_a_large_field_is_sent_in_pieces(
    web: Any, client: Any, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = split(web.get(client, f"/tiles/{slide.id}/0?columns=0-3&rows=0-2"))
    monkeypatch.setattr(module, "_SENT_AT_ONCE", 1)
    assert split(web.get(client, f"/tiles/{slide.id}/0?columns=0-3&rows=0-2")) == whole


@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_order_is_kept_and_what_is_under_way_is_bounded(run: Any, ahead: int) -> None:
    running, most = 0, 0

    async def make(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (number * 7 % 5))
        running -= 1
        if number == 5:
            raise ValueError(number)
        return number * 2

    async def all_of_them() -> list[Any]:
        return [made async for made in in_order(range(20), make, ahead)]

    made = run(all_of_them())
    assert isinstance(made.pop(5), ValueError)
    assert made == [number * 2 for number in range(20) if number != 5]
    assert most <= ahead


def test_who_leaves_ends_what_is_under_way(run: Any) -> None:
    ended = 0

    async def make(_: int) -> int:
        nonlocal ended
        try:
            await asyncio.sleep(60 * _)
        except asyncio.CancelledError:
            ended += 1
            raise
        return 1

    async def leave() -> None:
        made = in_order(range(10), make, 5)
        assert await anext(made) == 1
        await made.aclose()

    run(leave())
    assert ended == 4

"""A published slide as others open it: by zarr-python, by ome-zarr-models and by TensorStore,
over HTTP with a cookie; every pixel is the stored frames'.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import numpy as np
import obstore.store
import pytest
import tensorstore
import zarr
from ome_zarr_models.v05.image import Image

from sgi.api.guard import LOOPBACK_COOKIE
from sgi.domain.slide import Slide
from tiling.array_slide import ArraySlide
from tiling.codecs import jpeg
from tiling.geometry import Size, TileGrid
from tiling.slide import Illumination, OpticalPath

FrameOf = Callable[[int, int], bytes]
PATHS = [
    OpticalPath("DAPI", Illumination.FLUORESCENCE, (0, 0, 255)),
    OpticalPath("Cy5", Illumination.FLUORESCENCE),
]


@pytest.fixture
def server(web: Any) -> Iterator[str]:
    """The application behind a socket, one request after the other; gives its address."""
    anybody = web.client()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = web.run(
                anybody.request(self.command, self.path, headers=dict(self.headers.items()))
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def cookie(web: Any, client: Any) -> str:
    return f"{LOOPBACK_COOKIE}={web.token(client)}"


def open_by_zarr(address: str, cookie: str) -> zarr.Group:
    store = obstore.store.HTTPStore.from_url(
        address,
        client_options={"default_headers": {"cookie": cookie}, "allow_http": True},
    )
    return zarr.open_group(zarr.storage.ObjectStore(store, read_only=True), mode="r")


def read_by_tensorstore(address: str, level: int, cookie: str) -> Any:
    kvstore = {
        "driver": "http",
        "base_url": f"{address}/{level}",
        "headers": [f"cookie: {cookie}"],
    }
    return tensorstore.open({"driver": "zarr3", "kvstore": kvstore}).result().read().result()


def stored_pixels(slide: Slide, level: int, frame_of: FrameOf) -> Any:
    """A level as `(3, rows, columns)`, put together from what is in the store."""
    stored = slide.levels[level]
    size, tile = Size(stored.columns, stored.rows), Size(stored.tile_columns, stored.tile_rows)
    whole = np.zeros((size.rows + tile.rows, size.columns + tile.columns, 3), np.uint8)
    grid = TileGrid(size, tile)
    for column, row in grid.positions():
        pixels = jpeg.decode(frame_of(level, grid.frame_index(column, row)))
        top, left = row * tile.rows, column * tile.columns
        whole[top : top + tile.rows, left : left + tile.columns] = pixels
    return np.moveaxis(whole[: size.rows, : size.columns], -1, 0)


def test_three_libraries_read_every_pixel(
    server: str, cookie: str, slide: Slide, frame_of: FrameOf
) -> None:
    address = f"{server}/zarr/{slide.id}.zarr"
    group = open_by_zarr(address, cookie)
    image = Image.from_zarr(group)
    datasets = image.attributes.ome.multiscales[0].datasets
    assert [dataset.path for dataset in datasets] == [str(n) for n in range(len(slide.levels))]
    assert datasets[0].coordinateTransformations[0].scale == [1, 0.5, 0.5]
    for level in range(len(slide.levels)):
        expected = stored_pixels(slide, level, frame_of)
        array = group[str(level)]
        assert isinstance(array, zarr.Array)
        np.testing.assert_array_equal(array[:], expected)
        np.testing.assert_array_equal(read_by_tensorstore(address, level, cookie), expected)


def test_light_in_layers(
    server: str, cookie: str, here: Any, store: Any, publish_reader: Callable[..., Slide]
) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 4096, (2, 3, 100, 150, 1)).astype(np.uint16)
    light = ArraySlide(pixels, PATHS, (-2.0, 0.0, 2.0), bits=12, tile=Size(64, 64))
    slide = publish_reader(here, store, light)
    address = f"{server}/zarr/{slide.id}.zarr"
    group = open_by_zarr(address, cookie)
    np.testing.assert_array_equal(group["0"][:], pixels[..., 0])  # type: ignore[index]
    np.testing.assert_array_equal(read_by_tensorstore(address, 0, cookie), pixels[..., 0])
    ome = Image.from_zarr(group).attributes.ome
    assert [axis.name for axis in ome.multiscales[0].axes] == ["c", "z", "y", "x"]
    scale, shift = ome.multiscales[0].datasets[0].coordinateTransformations
    assert (scale.scale[1], shift.translation[1]) == (2.0, -2.0)
    dapi = group.attrs["ome"]["omero"]["channels"][0]  # type: ignore[index,call-overload]
    assert dapi["label"] == "DAPI"
    window = slide.facts.optical_paths[0].window
    assert (dapi["window"]["start"], dapi["window"]["end"]) == window


def test_without_a_session_nothing_is_read(server: str, slide: Slide) -> None:
    with pytest.raises(Exception, match=r"401|Unauthorized|[Pp]ermission"):
        open_by_zarr(f"{server}/zarr/{slide.id}.zarr", "sgi_session=stolen")


def address_of(slide: Slide, key: str) -> str:
    return f"/zarr/{slide.id}.zarr/{key}"


def test_a_chunk_is_whole_also_beyond_the_edge(web: Any, client: Any, slide: Slide) -> None:
    base = slide.levels[0]
    last = TileGrid(Size(base.columns, base.rows), Size(base.tile_columns, base.tile_rows)).tiles
    key = f"0/c/0/{last.rows - 1}/{last.columns - 1}"
    answer = web.get(client, address_of(slide, key))
    assert answer.status_code == 200
    assert len(answer.content) == base.tile_columns * base.tile_rows * 3
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("key", ["zarr.json", "0/zarr.json", "0/c/0/1/1"])
def test_the_client_that_has_it_gets_nothing(web: Any, client: Any, slide: Slide, key: str) -> None:
    url = address_of(slide, key)
    got = web.get(client, url)
    answer = web.get(client, url, headers={"if-none-match": got.headers["etag"]})
    assert (answer.status_code, answer.content) == (304, b"")
    assert web.get(client, url, headers={"if-none-match": '"other"'}).content == got.content


@pytest.mark.parametrize("key", ["zarr.json", "0/zarr.json", "0/c/0/1/1"])
def test_head_tells_without_the_bytes(
    web: Any, client: Any, slide: Slide, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = web.get(client, address_of(slide, key))
    monkeypatch.setattr("sgi.api.zarr.unpack_chunk", None)
    answer = web.run(client.head(address_of(slide, key)))
    assert (answer.status_code, answer.content) == (200, b"")
    for name in ("content-length", "etag", "content-type"):
        assert answer.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".zattrs",
        ".zgroup",
        "0",
        "0/.zarray",
        "99/zarr.json",
        "-1/zarr.json",
        "0/c/0/0/99",
        "0/c/1/0/0",
        "0/c/0/0/0/0",
        "0/c/0/0",
        "0/c/0/0/00",
        "0/c/0/0/+1",
        "0/c/0/0/%D9%A1",
        "0/c/0/0/" + "9" * 500,
        "0/c/0/%2e%2e/0",
        "%2e%2e/zarr.json",
        "0/c/0/0/0%00",
        "0/zarr.json%0A",
        "0/c/0/0/0/c/d/0/1",
    ],
)
def test_what_is_not_there_is_not_found(web: Any, client: Any, slide: Slide, key: str) -> None:
    answer = web.get(client, httpx.URL(f"{web.base_url}{address_of(slide, key)}"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["{}", "{}.ZARR", "x.zarr", ".zarr", "{}.zarr.zarr"])
def test_a_slide_has_one_name(web: Any, client: Any, slide: Slide, name: str) -> None:
    answer = web.get(client, f"/zarr/{name.format(slide.id)}/zarr.json")
    assert answer.status_code == 404


def test_another_establishments_slide_is_not_there(
    web: Any, slide: Slide, make_establishment: Callable[..., Any]
) -> None:
    stranger = web.signed_in(make_establishment())
    assert web.get(stranger, address_of(slide, "zarr.json")).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_is_only_read(web: Any, client: Any, slide: Slide, method: str) -> None:
    answer = web.run(client.request(method, address_of(slide, "zarr.json")))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_reading_it_is_a_view(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    for key in ("zarr.json", "0/zarr.json", "0/c/0/0/0"):
        web.get(client, address_of(slide, key))
    rows = [row for row in audit_rows(here) if row["action"] == "view_slide"]
    assert [row["object_id"] for row in rows] == [slide.id]


def test_a_damaged_frame_is_never_shown(
    web: Any, client: Any, slide: Slide, rot: Callable[[int, int], None]
) -> None:
    rot(0, 3)
    answer = web.get(client, address_of(slide, "0/c/0/0/3"))
    assert answer.status_code == 500
    assert "etag" not in answer.headers
    assert web.get(client, address_of(slide, "0/c/0/0/2")).status_code == 200


def test_what_was_asked_for_lately_is_not_unpacked_again(
    web: Any, client: Any, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = address_of(slide, "0/c/0/0/1")
    got = web.get(client, url)
    monkeypatch.setattr("sgi.api.zarr.unpack_chunk", None)
    assert web.get(client, url).content == got.content


def test_the_name_of_the_file_is_not_told(web: Any, client: Any, slide: Slide) -> None:
    text = web.get(client, address_of(slide, "zarr.json")).text
    assert str(slide.id) in text
    assert slide.file_name not in text

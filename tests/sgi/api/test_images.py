from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest

from sgi.domain.slide import Slide
from sgi.stored.keys import instance_key
from tiling.registry import open_slide
from tiling.slide import AssociatedKind


@pytest.mark.parametrize("kind", AssociatedKind)
def test_the_png_has_the_pixels_of_the_file(
    web: Any, client: Any, slide: Slide, svs: Any, kind: AssociatedKind
) -> None:
    answer = web.get(client, f"/slides/{slide.id}/{kind}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    pixels = imagecodecs.png_decode(answer.content)
    stored = slide.instance(kind)
    assert stored
    assert pixels.shape == (stored.rows, stored.columns, 3)
    reader = open_slide(svs)
    try:
        if kind in reader.associated:
            np.testing.assert_array_equal(pixels, reader.read_associated(kind))
    finally:
        reader.close()
    etag = answer.headers["etag"]
    again = web.get(client, f"/slides/{slide.id}/{kind}", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("kind", ["macro", "volume", "LABEL", "label.png", "%00"])
def test_no_other_kind(web: Any, client: Any, slide: Slide, kind: str) -> None:
    assert web.get(client, f"/slides/{slide.id}/{kind}").status_code in {404, 422}


def test_a_damaged_image_is_never_shown(
    web: Any, client: Any, slide: Slide, store: Any, rot: Callable[..., None]
) -> None:
    stored = slide.instance("label")
    assert stored
    key = instance_key(slide.id, stored.sop_uid)
    data = bytearray(store.objects[key])
    data[len(data) // 2] ^= 1
    store.objects[key] = bytes(data)
    answer = web.get(client, f"/slides/{slide.id}/label")
    assert answer.status_code == 500
    assert "etag" not in answer.headers


def test_a_slide_without_that_image(
    web: Any, client: Any, slide: Slide, run: Any, url: str
) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(
            "delete from instance where slide_id = %s and role = 'label'", [slide.id]
        )
    assert web.get(client, f"/slides/{slide.id}/label").status_code == 404


def looks(rows: list[Any]) -> list[str]:
    return [row["action"] for row in rows if row["action"] in {"show_label", "view_slide"}]


@pytest.mark.parametrize("kind", ["label", "overview"])
def test_a_look_at_a_name_is_on_record_once_a_session(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any, kind: str
) -> None:
    answer = web.get(client, f"/slides/{slide.id}/{kind}")
    assert answer.headers["vary"] == "Cookie", "kept by the browser for another session"
    web.get(client, f"/slides/{slide.id}/{kind}")
    web.get(client, f"/slides/{slide.id}/overview")
    assert looks(audit_rows(here)) == ["show_label"]
    (row,) = (row for row in audit_rows(here) if row["action"] == "show_label")
    assert row["object_id"] == slide.id
    assert row["session_id"]
    assert row["address"] == "127.0.0.1"
    seen = {"if-none-match": answer.headers["etag"]}
    again = web.get(web.signed_in(here), f"/slides/{slide.id}/{kind}", headers=seen)
    assert again.status_code == 304
    assert looks(audit_rows(here)) == ["show_label"] * 2


def test_an_opened_slide_has_its_label_seen(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    web.get(client, f"/api/v1/slides/{slide.id}")
    web.get(client, f"/slides/{slide.id}/label")
    assert looks(audit_rows(here)) == ["view_slide"]


def test_a_label_in_the_list_is_not_the_view_of_the_slide(
    web: Any, here: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    web.get(client, f"/slides/{slide.id}/label")
    web.get(client, f"/tiles/{slide.id}/0/0/0")
    assert looks(audit_rows(here)) == ["show_label", "view_slide"]


def test_what_shows_no_name_leaves_no_row(
    web: Any, here: Any, there: Any, client: Any, slide: Slide, audit_rows: Any
) -> None:
    web.get(client, f"/slides/{slide.id}/thumbnail")
    web.get(web.signed_in(there), f"/slides/{slide.id}/label")
    assert looks(audit_rows(here)) == looks(audit_rows(there)) == []

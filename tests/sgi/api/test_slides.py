import base64
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sgi.domain.slide import Slide

NOWHERE = "0e984725-c51c-4bf4-9960-e1c80e27aba0"


def listed(web: Any, client: Any, **query: Any) -> Any:
    answer = web.get(client, "/api/v1/slides", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_a_viewer_needs(web: Any, client: Any, here: Any, slide: Slide) -> None:
    answer = web.get(client, f"/api/v1/slides/{slide.id}")
    assert answer.status_code == 200
    told = answer.json()
    assert told["id"] == str(slide.id)
    assert told["establishment"] == {"id": str(here.id), "name": here.name}
    assert told["file_name"] == "slide.svs"
    assert told["pixel_spacing_mm"] == [0.0005, 0.0005]
    assert told["study_uid"] == slide.study_uid
    assert told["series_uid"] == slide.series_uid
    assert told["associated"] == ["label", "overview", "thumbnail"]
    assert [level["level"] for level in told["levels"]] == list(range(len(slide.levels)))
    base = told["levels"][0]
    assert (base["columns"], base["rows"]) == (600, 420)
    assert (base["tile_columns"], base["tile_rows"]) == (128, 128)
    assert base["downsample"] == 1
    assert base["transfer_syntax"] == "1.2.840.10008.1.2.4.50"
    assert told["size_bytes"] == sum(i.size_bytes for i in slide.instances)


def test_the_list_tells_what_the_slide_tells(web: Any, client: Any, slide: Slide) -> None:
    told = web.get(client, f"/api/v1/slides/{slide.id}").json()
    (item,) = listed(web, client)["items"]
    promised = {"id", "establishment", "file_name", "pixel_spacing_mm", "levels", "associated",
                "study_uid", "series_uid"}  # fmt: skip
    assert promised <= set(item)
    assert item == {name: told[name] for name in item}


def test_pages_meet_every_slide_once(
    web: Any, client: Any, here: Any, store: Any, publish: Callable[..., Any]
) -> None:
    made = [publish(here, store, f"{number}.svs") for number in range(5)]
    seen: list[str] = []
    after = None
    for _ in range(5):
        page = listed(web, client, limit=2, **({"after": after} if after else {}))
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [str(slide.id) for slide in reversed(made)]
    assert listed(web, client, limit=5)["next"] is None


def test_slides_of_the_same_moment_are_met_once_too(
    web: Any, client: Any, here: Any, store: Any, publish: Callable[..., Any], url: str
) -> None:
    import psycopg

    made = {str(publish(here, store).id) for _ in range(3)}
    with psycopg.connect(url) as connection:
        connection.execute("update slide set published_at = now() where establishment_id = %s",
                           [here.id])  # fmt: skip
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = listed(web, client, limit=1, **({"after": after} if after else {}))
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
    assert len(seen) == 3
    assert set(seen) == made
    assert after is None


def test_searching_in_names(
    web: Any, client: Any, here: Any, store: Any, publish: Callable[..., Any]
) -> None:
    for name in ("24H0123_A.svs", "Été 100%.svs"):
        publish(here, store, name)
    for query, count in {
        "h01": 1,
        "_a": 1,
        "_": 1,
        "%": 1,
        "ÉTÉ": 1,
        ".svs": 2,
        "": 2,
        "nothing": 0,
        "'; drop table slide; --": 0,
        "\\": 0,
    }.items():
        assert len(listed(web, client, q=query)["items"]) == count, query


@pytest.mark.parametrize(
    "query",
    [
        {"after": "garbage"},
        {"after": ""},
        {"after": "é"},
        {"after": "A" * 300},
        {"after": base64.urlsafe_b64encode(b"\xff\xfe").decode()},
        {"after": base64.urlsafe_b64encode(b"2024-01-01 x").decode()},
        {"after": base64.urlsafe_b64encode(f"x {uuid.uuid4()}".encode()).decode()},
        {"after": base64.urlsafe_b64encode(b"a b c").decode()},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "201"},
        {"limit": "x"},
        {"limit": "9" * 400},
        {"q": "x" * 201},
        {"q": "\0"},
    ],
)
def test_nonsense_is_told_to_be_so(web: Any, client: Any, query: dict[str, str]) -> None:
    answer = web.get(client, "/api/v1/slides", params=query)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_time(web: Any, client: Any, slide: Slide, at: str) -> None:
    after = base64.urlsafe_b64encode(f"{at} {uuid.uuid4()}".encode()).decode()
    answer = web.get(client, "/api/v1/slides", params={"after": after})
    assert answer.status_code in {200, 422}, answer.text


@pytest.mark.parametrize("slide_id", ["x", "%00", NOWHERE, "1" * 400])
def test_no_such_slide(web: Any, client: Any, slide_id: str) -> None:
    answer = web.get(client, f"/api/v1/slides/{slide_id}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"

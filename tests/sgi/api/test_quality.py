"""The quality gate's verdict, its heat map, and each establishment's limits."""

from typing import Any

import pytest

from sgi.domain.account import Role
from sgi.domain.quality import (
    DEFAULTS,
    HeatMapShape,
    Measures,
    QualityReport,
    SlideQuality,
    Verdict,
)
from sgi.stored.keys import heat_map_key

PATH = "/api/v1/quality/limits"
JUDGED = SlideQuality(
    report=QualityReport(verdict=Verdict.LOOK, findings=(), measures=Measures(blurred_share=0.2)),
    heat_map=HeatMapShape(columns=4, rows=3, cell_columns=512, cell_rows=512),
)


def test_limits_are_the_usual_ones_until_they_are_changed(web: Any, here: Any, there: Any) -> None:
    client = web.signed_in(here)
    assert web.get(client, PATH).json() == DEFAULTS.model_dump(mode="json")
    wanted = {"blurred": {"look": 0.1, "rescan": 0.5}}
    answer = web.run(client.put(PATH, json=wanted))
    assert answer.status_code == 200
    assert web.get(client, PATH).json()["blurred"] == wanted["blurred"]
    other = web.get(web.signed_in(there), PATH).json()
    assert other["blurred"] == DEFAULTS.model_dump(mode="json")["blurred"], "each has its own"


@pytest.mark.parametrize(
    "wanted",
    [
        {"blurred": {"look": 0.5, "rescan": 0.1}},
        {"blurred": {"look": -1}},
        {"unknown": {}},
        {"blurred": {"look": "Infinity"}},
        {"blurred_edge_um": 0},
        [],
    ],
)
def test_limits_that_make_no_sense_are_refused(web: Any, here: Any, wanted: Any) -> None:
    client = web.signed_in(here)
    assert web.run(client.put(PATH, json=wanted)).status_code == 422


def test_a_pathologist_may_read_the_limits_and_not_change_them(web: Any, here: Any) -> None:
    client = web.signed_in(here, Role.PATHOLOGIST)
    assert web.get(client, PATH).status_code == 200
    assert web.run(client.put(PATH, json={})).status_code == 403


def test_the_verdict_is_told_and_the_heat_map_shown(
    web: Any, here: Any, store: Any, publish: Any
) -> None:
    slide = publish(here, store, quality=JUDGED)
    store.put(heat_map_key(slide.id), b"a picture")
    client = web.signed_in(here)
    told = web.get(client, f"/api/v1/slides/{slide.id}").json()
    assert told["quality"]["verdict"] == "look"
    assert told["quality"]["heat_map"]["cell_columns"] == 512
    listed = web.get(client, "/api/v1/slides").json()["items"]
    assert [item["quality_verdict"] for item in listed] == ["look"]
    assert web.get(client, f"/slides/{slide.id}/focus").content == b"a picture"


def test_a_slide_that_was_not_judged_has_no_heat_map(web: Any, client: Any, slide: Any) -> None:
    assert web.get(client, f"/api/v1/slides/{slide.id}").json()["quality"] is None
    assert web.get(client, f"/slides/{slide.id}/focus").status_code == 404

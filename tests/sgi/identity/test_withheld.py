"""What names a patient is not told while a slide waits to name another; its pixels are shown."""

from typing import Any

import pytest

from sgi.catalogue import slides
from tests.sgi.identity.conftest import Bench, study_of, value

CASE, GLASS = "26P00123", "26P00123.A.01.01"
ANYTHING = {"accept": "*/*"}
OF_PICTURES = ("/rendered", "/thumbnail", "/frames/1", "/frames/1/rendered")


def instance(bench: Bench, role: str) -> str:
    """The address of the base, or of an associated image."""
    slide = bench.lab.do(lambda c: slides.by_id(c, bench.slide.id))
    stored = slide.levels[0] if role == "base" else slide.instance(role)
    return f"{bench.series()}/instances/{slide.told_uid(stored)}"


def mistell(bench: Bench) -> None:
    """The case is said to be another patient's."""
    bench.lab.case(CASE, bench.lab.patient("IPP2", birth_name="DURAND"))


@pytest.mark.parametrize("role", ["label", "overview"])
def test_a_picture_that_may_show_a_name_is_withheld(told: Bench, role: str) -> None:
    for what in OF_PICTURES:
        shown = told.get(instance(told, role) + what, **ANYTHING)
        assert shown.status_code == 200, what
        assert "no-cache" in shown.headers["cache-control"], "it would be shown all the same"
    mistell(told)
    for what in OF_PICTURES:
        answer = told.get(instance(told, role) + what, **ANYTHING)
        assert answer.status_code == 503, what
        assert answer.headers["retry-after"]
    frames = instance(told, role) + "/bulkdata/7FE00010"
    assert told.get(frames, accept="multipart/related").status_code == 503
    assert told.tell() == 1
    for what in OF_PICTURES:
        assert told.get(instance(told, role) + what, **ANYTHING).status_code == 200, what


def test_the_tissue_is_shown_throughout_and_names_nobody(told: Bench) -> None:
    mistell(told)
    base = instance(told, "base")
    for what in (*OF_PICTURES, "/bulkdata/7FE00010"):
        assert told.get(base + what, **ANYTHING).status_code == 200, what
    assert told.get(told.series() + "/thumbnail", **ANYTHING).status_code == 200
    slide, (_, _, study, _, series) = told.slide.id, told.series().split("/")
    for door in (
        f"/tiles/{slide}/0/0/0",
        f"/slides/{slide}/label",
        f"/iiif/3/{slide}/info.json",
        f"/dzi/{slide}.dzi",
        f"/zarr/{slide}.zarr/zarr.json",
    ):
        answer = told.web.get(told.client, door)
        assert answer.status_code == 200, door
        for word in (study, series, "IPP1", "MARTIN"):
            assert word.encode() not in answer.content, door


def test_a_study_is_not_stood_for_by_a_slide_that_waits_to_leave_it(told: Bench) -> None:
    study = f"/studies/{study_of(told)}/thumbnail"
    assert told.get(study, **ANYTHING).status_code == 200
    told.lab.case("26P00999", told.lab.patient("IPP2", birth_name="DURAND"))
    told.lab.asset(GLASS, accession_number="26P00999")
    assert told.get(study, **ANYTHING).status_code == 503


def test_values_of_a_header_are_those_that_are_told_or_none(told: Bench) -> None:
    """Not those of the stored one: what a scanner wrote of a patient is told to nobody."""

    def said(element: str) -> Any:
        answer = told.get(f"{instance(told, 'base')}/bulkdata/{element}", **ANYTHING)
        return answer.status_code, answer.content.decode("latin-1").rstrip(" \0")

    assert said("00100020") == (200, "IPP1")
    assert said("0020000D") == (200, study_of(told))
    profile = said("00480105.1.00282000")
    assert profile[0] == 200
    mistell(told)
    for element in ("00100010", "00100020", "00480105.1.00282000"):
        status, content = said(element)
        assert status == 503
        assert "MARTIN" not in content
    assert told.tell() == 1
    assert said("00100020") == (200, "IPP2")
    assert said("00480105.1.00282000") == profile
    assert value(told.metadata()[0], "00100020") == "IPP2"

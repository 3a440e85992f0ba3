"""A laboratory, a slide of one of its glasses, and the job that tells whose slides are."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from sgi.catalogue import identities
from sgi.catalogue.audit import Actor
from sgi.domain.case import AssetKind, Code
from sgi.domain.slide import Slide
from sgi.identity.rounds import Round
from sgi.ingest.identify import identify
from sgi.jobs.keeping import Keeping
from sgi.stores import Stores

ACTOR = Actor(None, uuid.uuid4(), "127.0.0.1")
JSON = {"accept": "application/dicom+json"}


@pytest.fixture(autouse=True)
def nothing_due(url: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("delete from identity_due")
        owner.execute("update slide set unidentified = 'unknown' where unidentified = 'waiting'")


class Bench:
    """A laboratory, a slide whose label names one of its glasses, and the job."""

    def __init__(self, lab: Any, web: Any, store: Any, settings: Any, slide: Slide) -> None:
        self.lab, self.web, self.store, self.slide = lab, web, store, slide
        self.settings = settings
        self.round = Round(Keeping(settings, lab.database, Stores(store)))
        self.client = web.signed_in(lab.establishment)

    def tell(self) -> int:
        """The job; and every server hears of it."""
        self.round._left_alone.clear()
        done: int = self.lab.run(self.round.run())
        self.web.services.slides.forget(self.slide.id)
        return done

    def row(self) -> dict[str, Any]:
        (found,) = self.lab.rows("select * from slide where id = %s", self.slide.id)
        return dict(found)

    def get(self, path: str, **headers: str) -> Any:
        return self.web.get(self.client, f"/dicomweb{path}", headers=headers or JSON)

    def series(self) -> str:
        row = self.row()
        study = row["told_study_uid"] or row["study_uid"]
        return f"/studies/{study}/series/{row['told_series_uid'] or row['series_uid']}"

    def metadata(self) -> list[dict[str, Any]]:
        answer = self.get(self.series() + "/metadata")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def identity(self) -> Any:
        return self.lab.do(lambda c: identities.current(c, self.slide.id))


@pytest.fixture
def bench(
    laboratory: Any,
    here: Any,
    web: Any,
    store: Any,
    settings: Any,
    convert_into: Any,
    publish_converted: Callable[..., Slide],
    run: Any,
) -> Bench:
    lab = laboratory(here)
    lab.case("26P00123", lab.patient("IPP1", sex="F", birth_date=date(1979, 3, 2)))
    lab.asset(
        "26P00123.A",
        AssetKind.SPECIMEN,
        accession_number="26P00123",
        site=Code("80248007", "Breast structure", "SCT"),
        description="sein gauche",
    )
    lab.asset("26P00123.A.01", AssetKind.BLOCK, parent="26P00123.A")
    lab.asset(
        "26P00123.A.01.01",
        parent="26P00123.A.01",
        stains=(Code("12710003", "Hematoxylin stain", "SCT"), Code("SAF", "safran", "L")),
    )
    made = convert_into(store)
    facts = made.facts.model_copy(update={"barcodes": ("26P00123.A.01.01",)})
    slide = publish_converted(here, store, replace(made, facts=facts), "a.svs")
    return Bench(lab, web, store, settings, slide)


@pytest.fixture
def told(bench: Bench, run: Any) -> Bench:
    assert run(identify(bench.lab.database, bench.slide, []))
    assert bench.tell() == 1
    return bench


def value(document: dict[str, Any], tag: str) -> Any:
    return document[tag].get("Value", [None])[0]


def study_of(bench: Bench) -> str:
    return bench.series().split("/")[2]


def told_uids(bench: Bench, stored_uid: str) -> str:
    identity = bench.identity()
    uid: str = identity.uids(stored_uid).instance
    return uid


def patients_told(bench: Bench, study: str) -> set[str]:
    return {value(each, "00100020") for each in bench.get(f"/studies/{study}/metadata").json()}

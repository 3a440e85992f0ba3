"""dicomweb-client finds and reads a slide by what the laboratory says of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from dicomweb_client.api import DICOMwebClient

from sgi.domain.slide import Slide
from sgi.identity.rounds import Round
from sgi.ingest.identify import identify
from sgi.jobs.keeping import Keeping
from sgi.stores import Stores


@pytest.fixture
def told(
    laboratory: Any,
    here: Any,
    store: Any,
    settings: Any,
    convert_into: Any,
    publish_converted: Callable[..., Slide],
    run: Any,
) -> Slide:
    lab = laboratory(here)
    lab.case("26P00123", lab.patient("IPP1"))
    lab.asset("26P00123.A.01.01", accession_number="26P00123")
    made = convert_into(store)
    facts = made.facts.model_copy(update={"barcodes": ("26P00123.A.01.01",)})
    slide = publish_converted(here, store, replace(made, facts=facts), "a.svs")
    run(identify(lab.database, slide, []))
    assert run(Round(Keeping(settings, lab.database, Stores(store))).run()) == 1
    return slide


@pytest.mark.parametrize(
    "filters",
    [
        {"PatientID": "IPP1"},
        {"AccessionNumber": "26P00123"},
        {"PatientName": "MARTIN*"},
        {"PatientID": "IPP1", "AccessionNumber": "26P00123"},
    ],
)
def test_it_is_found_and_read(
    dicomweb: DICOMwebClient, told: Slide, filters: dict[str, str]
) -> None:
    (study,) = dicomweb.search_for_studies(search_filters=filters)
    uid = study["0020000D"]["Value"][0]
    assert uid != told.study_uid
    series = dicomweb.search_for_series(uid, search_filters={"Modality": "SM"})
    (series_uid,) = [each["0020000E"]["Value"][0] for each in series]
    read = dicomweb.retrieve_series(uid, series_uid)
    assert len(read) == len(told.instances)
    assert {str(each.PatientName) for each in read} == {"MARTIN^LÉA"}
    assert {each.ContainerIdentifier for each in read} == {"26P00123.A.01.01"}
    metadata = dicomweb.retrieve_series_metadata(uid, series_uid)
    assert {each["00100020"]["Value"][0] for each in metadata} == {"IPP1"}
    base = read[0]
    (frame,) = dicomweb.retrieve_instance_frames(
        uid, series_uid, str(base.SOPInstanceUID), frame_numbers=[1]
    )
    assert frame


def test_nobody_elses_patient_finds_it(dicomweb: DICOMwebClient, told: Slide) -> None:
    assert dicomweb.search_for_studies(search_filters={"PatientID": "IPP2"}) == []
    assert dicomweb.search_for_studies(search_filters={"PatientID": ""}) != [told]

"""QIDO-RS: what is found, what is told of it, and who is told."""

import io
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pydicom
import pytest

from sgi.domain.slide import Slide
from sgi.errors import VerificationError
from sgi.keeping.headers import with_header
from sgi.stored.keys import instance_key

Get = Callable[..., Any]
PATIENTS = ("Dupont^Marie", "DURAND^Éloïse^Anne", "Müller-Lefèvre^Zoë", "O'Brien^Sean")


@pytest.fixture
def patients(
    here: Any,
    store: Any,
    publish: Callable[..., Slide],
    put_on_record: Callable[[Slide], None],
) -> list[Slide]:
    """Four slides whose headers name patients, as files of other makers' DICOM do."""
    slides = []
    for number, name in enumerate(PATIENTS, 1):
        slide = publish(here, store)
        instances = []
        for stored in slide.instances:
            key = instance_key(slide.id, stored.sop_uid)
            header = renamed(store.objects[key], name, number)
            store.objects[key] = header
            instances.append(with_header(stored, header))
        put_on_record(replace(slide, instances=instances))
        slides.append(slide)
    return slides


def renamed(data: bytes, name: str, number: int) -> bytes:
    """The header of an instance that says whose it is."""
    dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    dataset.PatientName, dataset.PatientID = name, f"P{number}"
    dataset.AccessionNumber = f"2024-{number:03}"
    dataset.StudyDate, dataset.StudyTime = f"2024{number:02}15", f"1{number}3000.5"
    dataset.PatientWeight = number + 60.5
    item = dataset.SpecimenDescriptionSequence[0]
    item.SpecimenIdentifier = f"S{number}_%"
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    pixels = b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff"
    return file.getvalue() + pixels


def uids(answer: Any, tag: str = "0020000D") -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    return [each[tag]["Value"][0] for each in answer.json()]


def test_nothing_is_an_empty_list(get: Get) -> None:
    for path in ("/studies", "/series", "/instances", "/studies/1.2/series"):
        answer = get(path)
        assert (answer.status_code, answer.json()) == (200, [])


QUERIES: tuple[tuple[dict[str, str], list[int]], ...] = (
    ({}, [1, 2, 3, 4]),
    ({"PatientID": "P2"}, [2]),
    ({"00100020": "P2"}, [2]),
    ({"PatientID": "p2"}, []),
    ({"PatientID": "P*"}, [1, 2, 3, 4]),
    ({"PatientID": "P?"}, [1, 2, 3, 4]),
    ({"PatientID": "?"}, []),
    ({"PatientID": "*"}, [1, 2, 3, 4]),
    ({"PatientID": "%"}, []),
    ({"PatientName": "dupont^marie"}, [1]),
    ({"PatientName": "DU*"}, [1, 2]),
    ({"PatientName": "eloise"}, []),
    ({"PatientName": "eloise", "fuzzymatching": "true"}, [2]),
    ({"PatientName": "lefevre zoe", "fuzzymatching": "true"}, [3]),
    ({"PatientName": "anne dur", "fuzzymatching": "true"}, [2]),
    ({"PatientName": "ont", "fuzzymatching": "true"}, []),
    ({"PatientName": "obrien", "fuzzymatching": "true"}, []),
    ({"PatientName": "brien", "fuzzymatching": "true"}, [4]),
    ({"StudyDate": "20240215"}, [2]),
    ({"StudyDate": "20240201-20240331"}, [2, 3]),
    ({"StudyDate": "20240301-"}, [3, 4]),
    ({"StudyDate": "-20240301"}, [1, 2]),
    ({"StudyTime": "1130-1230"}, [1, 2]),
    ({"StudyTime": "12"}, [2]),
    ({"AccessionNumber": "2024-00?"}, [1, 2, 3, 4]),
    ({"AccessionNumber": "2024-003", "PatientID": "P3"}, [3]),
    ({"AccessionNumber": "2024-003", "PatientID": "P4"}, []),
    ({"PatientWeight": "62.5"}, [2]),
    ({"PatientWeight": "62.50"}, [2]),
    ({"ModalitiesInStudy": "SM"}, [1, 2, 3, 4]),
    ({"ModalitiesInStudy": "CT"}, []),
    ({"SpecimenDescriptionSequence.SpecimenIdentifier": "S4_%"}, [4]),
    ({"SpecimenDescriptionSequence.SpecimenIdentifier": "S?_%*"}, [1, 2, 3, 4]),
    ({"SpecimenDescriptionSequence.SpecimenIdentifier": "S%"}, []),
    ({"ContainerIdentifier": "Unknown"}, [1, 2, 3, 4]),
    ({"SamplesPerPixel": "3"}, [1, 2, 3, 4]),
    ({"PatientID": "P1\\P2"}, []),
    ({"PatientID": "' or true --"}, []),
)


def test_matching(get: Get, patients: list[Slide]) -> None:
    for query, found in QUERIES:
        expected = {patients[number - 1].study_uid for number in found}
        for level in ("studies", "series", "instances"):
            assert set(uids(get(f"/{level}", **query))) == expected, (level, query)


def test_lists_of_uids(get: Get, patients: list[Slide]) -> None:
    one, two, *_ = (slide.study_uid for slide in patients)
    for level in ("studies", "series", "instances"):
        for asked in (f"{one},{two}", f"{one}\\{two}", [one, two]):
            answer = get(f"/{level}", StudyInstanceUID=asked)
            assert set(uids(answer)) == {one, two}
    wanted = [patients[2].levels[0].sop_uid, patients[3].levels[1].sop_uid]
    answer = get("/instances", SOPInstanceUID=",".join(wanted))
    assert set(uids(answer, "00080018")) == set(wanted)


def test_instances_are_matched_by_what_is_their_own(get: Get, slide: Slide) -> None:
    path = f"/studies/{slide.study_uid}/series/{slide.series_uid}/instances"
    assert len(uids(get(path))) == len(slide.instances)
    base = slide.levels[0]
    assert uids(get(path, NumberOfFrames=base.frames), "00080018") == [base.sop_uid]
    assert uids(get(path, ImageType="LABEL"), "00080018") == [slide.instance("label").sop_uid]  # type: ignore[union-attr] # it has one
    assert len(uids(get(path, AvailableTransferSyntaxUID=base.transfer_syntax))) == len(
        slide.levels
    )


def test_pages_tell_that_there_is_more(get: Get, patients: list[Slide]) -> None:
    for level, total in (("studies", 4), ("series", 4), ("instances", 20)):
        whole = uids(get(f"/{level}"), "0020000D" if level != "instances" else "00080018")
        assert len(whole) == total
        pages: list[str] = []
        while len(pages) < total:
            answer = get(f"/{level}", limit=3, offset=len(pages))
            page = uids(answer, "0020000D" if level != "instances" else "00080018")
            pages += page
            more = 'additional results that can be requested"'
            assert (more in answer.headers.get("warning", "")) == (len(pages) < total)
            if len(pages) < total:
                assert answer.headers["warning"].startswith("299 127.0.0.1 ")
        assert pages == whole
        assert get(f"/{level}", offset=total).json() == []
        assert get(f"/{level}", limit=0).json() == []


def test_what_is_told(get: Get, slide: Slide) -> None:
    (study,) = get("/studies").json()
    assert "00080070" not in study
    assert study["00080061"] == {"vr": "CS", "Value": ["SM"]}
    assert study["00081190"]["Value"] == [
        f"http://127.0.0.1:8000/dicomweb/studies/{slide.study_uid}"
    ]
    assert list(study) == sorted(study)
    (more,) = get("/studies", includefield="Manufacturer,00181000").json()
    assert set(more) - set(study) == {"00080070", "00181000"}
    (series,) = get("/series").json()
    assert set(study) - {"00080056", "00080061", "00201206", "00201208"} <= set(series)
    (of_study,) = get(f"/studies/{slide.study_uid}/series").json()
    assert "00100020" not in of_study
    (every,) = get("/series", includefield="all").json()
    assert {"00080070", "00400560"} <= set(every)
    path = f"/studies/{slide.study_uid}/series/{slide.series_uid}/instances"
    told = get(path, includefield="all").json()
    assert {"00480006", "00480105", "52009229"} <= set(told[0])
    assert told[0]["00480105"]["Value"][0]["00282000"]["BulkDataURI"].startswith(
        f"http://127.0.0.1:8000/dicomweb{path}/{slide.levels[0].sop_uid}/bulkdata/"
    )
    for each in get(path).json():
        assert {"00080016", "00080018", "00083002", "00280010", "00280008"} <= set(each)


@pytest.mark.parametrize(
    "accept",
    ["application/dicom+xml", "text/html", 'multipart/related; type="application/dicom+xml"'],
)
def test_there_is_no_xml(get: Get, slide: Slide, accept: str) -> None:
    for path in ("/studies", f"/studies/{slide.study_uid}/metadata"):
        answer = get(path, accept)
        assert answer.status_code == 406
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [{"Nobody": "1"}, {"limit": "-1"}, {"StudyDate": "yesterday"}, {"x" * 20_000: "1"}],
    ids=lambda query: next(iter(query))[:20],
)
def test_a_query_that_is_not_understood(get: Get, query: dict[str, str]) -> None:
    answer = get("/studies", **query)
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")


def test_another_establishment_finds_nothing(
    web: Any, there: Any, slide: Slide, series_path: str, base_path: str
) -> None:
    stranger = web.signed_in(there)
    for path in ("/studies", "/series", "/instances"):
        assert web.get(stranger, "/dicomweb" + path).json() == []
        query = {"StudyInstanceUID": slide.study_uid}
        assert web.get(stranger, "/dicomweb" + path, params=query).json() == []
    for path in (
        f"/studies/{slide.study_uid}",
        f"/studies/{slide.study_uid}/metadata",
        f"/studies/{slide.study_uid}/thumbnail",
        series_path,
        f"{series_path}/metadata",
        f"{series_path}/thumbnail",
        base_path,
        f"{base_path}/metadata",
        f"{base_path}/frames/1",
        f"{base_path}/frames/1/rendered",
        f"{base_path}/rendered",
        f"{base_path}/thumbnail",
        f"{base_path}/bulkdata/7FE00010",
    ):
        answer = web.get(stranger, "/dicomweb" + path)
        assert answer.status_code == 404, path


def test_a_list_leaves_no_view_in_the_audit(
    get: Get, here: Any, slide: Slide, audit_rows: Any
) -> None:
    get("/instances", includefield="all")
    assert "view_slide" not in {row["action"] for row in audit_rows(here)}


def test_a_slide_whose_header_cannot_be_read_hides_no_other(
    get: Get,
    here: Any,
    store: Any,
    slide: Slide,
    publish: Callable[..., Slide],
    put_on_record: Callable[[Slide], None],
) -> None:
    broken = publish(here, store)
    key = instance_key(broken.id, broken.levels[0].sop_uid)
    sound = store.objects[key]
    store.objects[key] = os.urandom(len(sound))
    with pytest.raises(VerificationError):
        put_on_record(broken)
    for _ in range(2):
        answer = get("/studies")
        assert uids(answer) == [slide.study_uid]
        assert "not searched yet" in answer.headers["warning"]
    store.objects[key] = sound
    put_on_record(broken)
    answer = get("/studies")
    assert uids(answer) == [broken.study_uid, slide.study_uid]
    assert "warning" not in answer.headers


def test_a_search_reads_no_slide_and_says_that_some_are_not_searched(
    get: Get,
    web: Any,
    here: Any,
    there: Any,
    store: Any,
    slide: Slide,
    publish: Callable[..., Slide],
    put_on_record: Callable[[Slide], None],
) -> None:
    assert "warning" not in get("/studies").headers
    later = publish(here, store)
    store.reads = 0
    answer = get("/studies")
    assert uids(answer) == [slide.study_uid]
    assert "not searched yet" in answer.headers["warning"]
    assert store.reads == 0
    strange = web.get(web.signed_in(there), "/dicomweb/studies")
    assert "warning" not in strange.headers, "another's slides are nobody's business"
    put_on_record(later)
    answer = get("/studies")
    assert uids(answer) == [later.study_uid, slide.study_uid]
    assert "warning" not in answer.headers


def test_a_study_with_a_cold_level_is_near_the_line(get: Get, slide: Slide, url: str) -> None:
    assert get("/studies").json()[0]["00080056"]["Value"] == ["ONLINE"]
    with psycopg.connect(url) as connection:
        connection.execute(
            "update instance set tier = 'cold', cold_size_bytes = 1 where sop_uid = %s",
            [slide.levels[0].sop_uid],
        )
    assert get("/studies").json()[0]["00080056"]["Value"] == ["NEARLINE"]


def test_headers_are_read_once(get: Get, slide: Slide, store: Any) -> None:
    get("/studies")
    store.reads = 0
    get("/instances", includefield="all")
    get(f"/studies/{slide.study_uid}/metadata")
    assert store.reads == 0


def test_an_instance_that_says_it_is_another_is_not_believed(
    get: Get,
    here: Any,
    store: Any,
    slide: Slide,
    publish: Callable[..., Slide],
    put_on_record: Callable[[Slide], None],
) -> None:
    confused = publish(here, store)
    base = confused.levels[0]
    key = instance_key(confused.id, base.sop_uid)
    store.objects[key] = store.objects[instance_key(slide.id, slide.levels[0].sop_uid)]
    with pytest.raises(VerificationError):
        put_on_record(confused)
    own = with_header(base, store.objects[key])
    with pytest.raises(VerificationError, match="another"):  # though its bytes be as written
        put_on_record(replace(confused, instances=[own]))
    assert uids(get("/studies")) == [slide.study_uid]
    assert get(f"/studies/{confused.study_uid}/metadata").status_code == 500


def test_a_flipped_letter_of_a_name_is_never_put_on_record(
    get: Get,
    here: Any,
    store: Any,
    publish: Callable[..., Slide],
) -> None:
    slide = publish(here, store)
    key = instance_key(slide.id, slide.levels[0].sop_uid)
    sound = bytes(store.objects[key])
    at = sound.index(b"SM")
    store.objects[key] = sound[:at] + b"ST" + sound[at + 2 :]
    assert get(f"/studies/{slide.study_uid}/metadata").status_code == 500
    store.objects[key] = sound
    assert get(f"/studies/{slide.study_uid}/metadata").status_code == 200

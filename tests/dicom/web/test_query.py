import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.web.attributes import attribute_named
from dicom.web.errors import BadQueryError
from dicom.web.matching import Between, Equal, Like, OneOf, Words, folded
from dicom.web.query import LONGEST_QUERY, MOST_RESULTS, USUAL_RESULTS, Query, parse_query


def conditions(query: str) -> dict[str, object]:
    return {".".join(a.tags): c for a, c in parse_query(query.encode()).conditions}


@pytest.mark.parametrize(
    ("query", "tag", "condition"),
    [
        ("PatientID=12", "00100020", Like("12")),
        ("00100020=12", "00100020", Like("12")),
        ("patientid".replace("patientid", "PatientID") + "=A%2A", "00100020", Like("A*")),
        ("PatientName=du?ont%5E*", "00100010", Like("du?ont^*", any_case=True)),
        ("StudyDate=20240101-20241231", "00080020", Between("20240101", "20241231")),
        ("StudyDate=-20241231", "00080020", Between(None, "20241231")),
        ("StudyDate=20240101-", "00080020", Between("20240101", None)),
        ("StudyDate=20240101", "00080020", Between("20240101", "20240101")),
        ("ContentTime=1030-11", "00080033", Between("1030", "11")),
        ("NumberOfFrames=12", "00280008", Equal("12")),
        ("StudyInstanceUID=1.2,3.4", "0020000D", OneOf(("1.2", "3.4"))),
        ("StudyInstanceUID=1.2%5C3.4", "0020000D", OneOf(("1.2", "3.4"))),
        ("0020000D=1.2&0020000D=3.4", "0020000D", OneOf(("1.2", "3.4"))),
        (
            "SpecimenDescriptionSequence.SpecimenIdentifier=S1",
            "00400560.00400551",
            Like("S1"),
        ),
        ("00400560.00400551=S1", "00400560.00400551", Like("S1")),
    ],
)
def test_conditions(query: str, tag: str, condition: object) -> None:
    assert conditions(query) == {tag: condition}


def test_fuzzy_matching_is_of_names_alone() -> None:
    found = conditions("PatientName=Ha%C3%AFm+du*&PatientID=A1&fuzzymatching=true")
    assert found == {"00100010": Words(("haim", "du")), "00100020": Like("A1")}


@pytest.mark.parametrize(
    "query", ["PatientID=", "PatientID=*", "StudyInstanceUID=", "PatientName=**"]
)
def test_an_open_value_asks_nothing_and_is_told(query: str) -> None:
    parsed = parse_query(query.encode())
    assert parsed.conditions == ()
    assert len(parsed.included) == 1


def test_what_is_told_and_how_much() -> None:
    assert parse_query(b"") == Query()
    parsed = parse_query(b"includefield=PatientAge,00081030&includefield=all&limit=7&offset=5")
    assert [each.outermost for each in parsed.included] == ["00101010", "00081030"]
    assert parsed.all_included
    assert (parsed.limit, parsed.offset) == (7, 5)
    assert parse_query(b"").limit == USUAL_RESULTS
    assert parse_query(b"limit=999999").limit == MOST_RESULTS


@pytest.mark.parametrize(
    "query",
    [
        "PatientIdentity=1",
        "00100021FF=1",
        "0010002=1",
        "00110010=1",
        "limit=-1",
        "limit=1&limit=2",
        "limit=x",
        "offset=1.5",
        "fuzzymatching=yes",
        "includefield=Nothing",
        "StudyDate=2024",
        "StudyDate=-",
        "StudyDate=20240101-20240102-20240103",
        "StudyInstanceUID=1.2,x",
        "NumberOfFrames=many",
        "PatientID=1&PatientID=2",
        "PatientID=%00",
        "PatientName=%ff",
        "PixelData=x",
        "PatientID.PatientName=x",
        "ReferencedSeriesSequence.ReferencedSOPSequence.ReferencedSOPSequence.A.B=1",
        "PatientID=" + "1" * 2000,
        "&".join(f"PatientID={n}" for n in range(1000)),
        "NumberOfStudyRelatedInstances=3",
        "PatientID=" + "*a" * 9,
        "fuzzymatching=true&PatientName=" + "a+" * 17,
        "RetrieveURL=x",
    ],
)
def test_what_is_not_understood_is_refused(query: str) -> None:
    with pytest.raises(BadQueryError):
        parse_query(query.encode())


def test_a_query_has_its_bound() -> None:
    with pytest.raises(BadQueryError):
        parse_query(b"a" * (LONGEST_QUERY + 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_query_or_refused(data: bytes) -> None:
    try:
        found = parse_query(data)
    except BadQueryError:
        return
    assert 0 <= found.limit <= MOST_RESULTS


@given(st.text(max_size=60))
def test_folding_folds_once(name: str) -> None:
    assert folded(folded(name)) == folded(name)


def test_names_without_case_and_accents() -> None:
    assert folded("Lefèvre^Zoë-Anne=レフェーブル") == folded("LEFEVRE zoe anne レフェーブル")


def test_an_attribute_by_keyword_and_by_tag_is_the_same() -> None:
    assert attribute_named("PatientName") == attribute_named("00100010")
    assert attribute_named("NumberOfFrames").representation == "IS"

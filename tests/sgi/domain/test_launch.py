from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.launch import PatientAsked, StudiesAsked, asked_by, names_of, said_both_ways
from sgi.errors import LaunchRequestError


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("requestType=STUDY&studyUID=1.2.3", StudiesAsked(("1.2.3",))),
        ("requestType=STUDY&studyUID=1.2,1.3", StudiesAsked(("1.2", "1.3"))),
        ("requestType=STUDY&accessionNumber=26P1", StudiesAsked((), ("26P1",))),
        ("requestType=STUDY&accessionNumber=26P1,,26P2,26P1", StudiesAsked((), ("26P1", "26P2"))),
        # As the French imaging report has it.
        (
            "requestType=STUDY&studyUID=2.25.7&Accessionnumber=26P1&idCDA=1.2^3",
            StudiesAsked(("2.25.7",), ("26P1",)),
        ),
        ("requestType=STUDY&studyUID=&accessionNumber=26P1", StudiesAsked((), ("26P1",))),
        ("requestType=STUDY&accessionNumber=26%2FP+1%C3%A9", StudiesAsked((), ("26/P 1é",))),
        (
            "requestType=PATIENT&patientID=99998410^^^AcmeHospital&viewerType=IHE_BIR",
            PatientAsked("99998410", frozenset({"AcmeHospital"})),
        ),
        (
            "requestType=PATIENT&patientID=1^^^CHU%261.2.3%26ISO&mostRecentResults=2",
            PatientAsked("1", frozenset({"CHU", "1.2.3"}), 2),
        ),
        ("requestType=PATIENT&patientID=1", PatientAsked("1")),
    ],
)
def test_what_is_asked_for(query: str, asked: object) -> None:
    assert asked_by(query) == asked


@pytest.mark.parametrize(
    "query",
    [
        "",
        "studyUID=1.2.3",
        "requestType=&studyUID=1.2.3",
        "requestType=SERIES&studyUID=1.2.3",
        "requestType=STUDYBASE64&studyUID=MS4y",
        "requestType=STUDY",
        "requestType=STUDY&studyUID=",
        "requestType=STUDY&studyUID=,",
        "requestType=STUDY&studyUID=1.2.x",
        "requestType=STUDY&studyUID=1.2,../3",
        "requestType=STUDY&studyUID=1",
        "requestType=STUDY&studyUID=1..2",
        "requestType=STUDY&studyUID=1.02",
        "requestType=STUDY&studyUID=%D9%A1.2",
        "requestType=STUDY&studyUID=" + "1.2" * 30,
        "requestType=STUDY&studyUID=" + ",".join(f"1.{n}" for n in range(21)),
        "requestType=STUDY&accessionNumber=" + "x" * 65,
        "requestType=STUDY&accessionNumber=a%00b",
        "requestType=STUDY&accessionNumber=a%0d%0ab",
        "requestType=STUDY&accessionNumber=%ff",
        "requestType=STUDY&accessionNumber=1&accessionNumber=2",
        "requestType=STUDY&accessionNumber=1&AccessionNumber=2",
        "requestType=STUDY&requestType=PATIENT&accessionNumber=1",
        "requestType=PATIENT",
        "requestType=PATIENT&patientID=",
        "requestType=PATIENT&patientID=^^^CHU",
        "requestType=PATIENT&patientID=1&studyUID=1.2",
        "requestType=PATIENT&patientID=1&mostRecentResults=0",
        "requestType=PATIENT&patientID=1&mostRecentResults=-1",
        "requestType=PATIENT&patientID=1&mostRecentResults=99999",
        "requestType=STUDY&accessionNumber=1&" + "&".join(f"a{n}=1" for n in range(60)),
        "requestType=STUDY&accessionNumber=1&x=" + "x" * 5000,
    ],
)
def test_what_is_refused(query: str) -> None:
    with pytest.raises(LaunchRequestError):
        asked_by(query)


@given(st.text(max_size=200))
def test_any_text_is_understood_or_refused(query: str) -> None:
    with suppress(LaunchRequestError):
        asked_by(query)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1)
        .map(lambda text: text[:64])
        .filter(lambda text: text.isprintable() and text == text.strip()),
        min_size=1,
        max_size=20,
        unique=True,
    )
)
def test_numbers_come_through_as_they_are(numbers: list[str]) -> None:
    query = urlencode({"requestType": "STUDY", "accessionNumber": ",".join(numbers)})
    if len(query) <= 4096:
        assert asked_by(query) == StudiesAsked((), tuple(numbers))


def test_the_names_of_an_assigner() -> None:
    assert names_of("") == frozenset()
    assert names_of("CHU&1.2.3&ISO") == {"CHU", "1.2.3"}


def test_two_keys_mean_the_same_or_not() -> None:
    assert said_both_ways([1], [])
    assert said_both_ways([], [1])
    assert said_both_ways([1, 2], [2, 1])
    assert not said_both_ways([1], [2])
    assert not said_both_ways([1], [1, 2])

"""A checker's limit excuses what it is known by, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.checkers import dciodvfy, read_openslide, read_pydicom, read_wsidicom
from conformance.checkers.orthanc import Orthanc
from conformance.converted import ConvertedSlide, converted
from conformance.limits import Limit
from conformance.looks import Look, Objection, Step, objections
from conformance.slides import own_slides
from conformance.table import verdict_of
from conformance.verdict import ABSENT, PASSES, CheckerAbsentError, ObjectionError

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ConvertedSlide]]:
    """Two of our own: colours in JPEG, and light in several layers."""
    rows = {row.name: row for row in own_slides(tmp_path_factory.mktemp("own"))}
    jpeg = rows["drawn: JPEG in colours, label, overview"]
    light = rows["drawn: 2 paths, 3 planes, 16 bits"]
    with converted(jpeg.open()) as colours, converted(light.open()) as grey:
        yield {"colours": colours, "light": grey}


def throwing(error: Exception) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


class Pretended:
    """A checker that objects as it is told, with one limit in the second level's pixels."""

    NAME = "pretended"

    def __init__(self, *looks: Look, absent: bool = False) -> None:
        self._looks = looks
        self._absent = absent

    def looks(self, slide: ConvertedSlide) -> Iterator[Look]:
        if self._absent:
            raise CheckerAbsentError
        yield from self._looks

    def limits_of(self, slide: ConvertedSlide) -> list[Limit]:
        return [Limit("no such codec", Step.PIXELS, ObjectionError, "HTTP 500$", [1])]


KNOWN = Look(Step.PIXELS, throwing(ObjectionError("GET tiles: HTTP 500")), 1)


def test_its_own_objection_is_excused(slides: dict[str, ConvertedSlide]) -> None:
    verdict = verdict_of(Pretended(KNOWN), slides["colours"])
    assert verdict.passed
    assert verdict.words == "its limit: no such codec"


@pytest.mark.parametrize(
    "look",
    [
        Look(Step.LEVELS, KNOWN.do, 1),
        Look(Step.PIXELS, KNOWN.do, 0),
        Look(Step.PIXELS, throwing(ObjectionError("POST instances: HTTP 400")), 1),
        Look(Step.PIXELS, throwing(AssertionError("pixels differ, HTTP 500")), 1),
    ],
    ids=["step", "level", "text", "kind"],
)
def test_no_other_is(slides: dict[str, ConvertedSlide], look: Look) -> None:
    assert not verdict_of(Pretended(look), slides["colours"]).passed
    assert not verdict_of(Pretended(KNOWN, look), slides["colours"]).passed


def test_what_fails_before_any_look_is_an_objection_to_the_whole(
    slides: dict[str, ConvertedSlide],
) -> None:
    def looks(slide: ConvertedSlide) -> Iterator[Look]:
        yield KNOWN
        raise OSError("gone")

    found = objections(looks, slides["colours"])
    assert [(each.step, each.level) for each in found] == [(Step.PIXELS, 1), (Step.OPEN, None)]


def test_an_absent_checker_and_a_content_one(slides: dict[str, ConvertedSlide]) -> None:
    assert verdict_of(Pretended(absent=True), slides["colours"]) is ABSENT
    assert verdict_of(Pretended(), slides["colours"]) is PASSES


REFUSED = ObjectionError("POST instances: HTTP 400")
NOT_FOUND = AssertionError("it is not found")
WRONG = AssertionError("pixels differ by 40.0 on the mean")


@pytest.mark.parametrize(
    "objection",
    [
        Objection(Step.OPEN, None, REFUSED),
        Objection(Step.OPEN, None, ObjectionError("GET series: HTTP 404")),
        Objection(Step.LEVELS, None, ObjectionError("levels of [(3, 4)], which nobody wrote")),
        Objection(Step.LEVELS, 0, NOT_FOUND),
        Objection(Step.PIXELS, 0, WRONG),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["colours", "light"])
def test_no_limit_excuses_a_failed_upload_or_wrong_pixels(
    slides: dict[str, ConvertedSlide], name: str, objection: Objection
) -> None:
    for checker in Orthanc(), dciodvfy, read_openslide, read_pydicom, read_wsidicom:
        assert not any(limit.excuses(objection) for limit in checker.limits_of(slides[name]))


def test_openslide_must_refuse_grey_levels_in_its_own_words(
    slides: dict[str, ConvertedSlide], tmp_path: Path
) -> None:
    verdict = verdict_of(read_openslide, slides["light"])
    assert verdict.words == "its limit: no 1.2.840.10008.1.2.4.80"
    damaged = ConvertedSlide(tmp_path, slides["light"].manifest, slides["light"].levels)
    for path in damaged.instances:
        path.write_bytes(bytes(1000))
    assert not verdict_of(read_openslide, damaged).passed

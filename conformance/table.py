"""The table: each slide converted once, and put before every checker."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from conformance.checkers import (
    dciodvfy,
    read_highdicom,
    read_openslide,
    read_pydicom,
    read_wsidicom,
)
from conformance.checkers.dicom_microscopy_viewer import DicomMicroscopyViewer
from conformance.checkers.orthanc import Orthanc
from conformance.converted import ConvertedSlide, converted
from conformance.limits import Limit
from conformance.looks import Look, objections
from conformance.slides import TableSlide, own_slides, real_slides
from conformance.verdict import (
    ABSENT,
    PASSES,
    CheckerAbsentError,
    Verdict,
    objects,
    own_limit,
)

_MODULES = (dciodvfy, read_pydicom, read_wsidicom, read_openslide, read_highdicom)
PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance-table.md"
_INTRODUCTION = """# Conformance table
Each slide is converted, and the instances are put before every checker: dciodvfy looks at all
attributes, the others at the sizes of the levels and at the pixels of their first, middle and last
tiles, in the first and last layer. A checker that cannot read a slide is asked all the same, and
excused only by a limit of its own that is named here: the limit says at which step, in which levels
and with which words it objects, and any other objection counts. `python -m conformance` writes this
page; the tests make the table again and compare. Slides called "drawn" are our own; those in
`synthetic/` imitate scanners' files. dicom-microscopy-viewer looks at what it loads for its first
view, in Chromium, through DICOMweb.
"""


class Checker(Protocol):
    """Somebody else's reader."""

    NAME: str

    def looks(self, slide: ConvertedSlide) -> Iterator[Look]:
        """What it does with a slide, one thing at a time."""

    def limits_of(self, slide: ConvertedSlide) -> Iterable[Limit]:
        """What it is known not to do with a slide like this one."""


Table = dict[str, dict[str, Verdict]]
"""By slide, then by checker."""


def make_table(data: Path | None) -> Table:
    """Of our own slides, and of those in `data` where it is given."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as name, ExitStack() as stack:
        servers: list[Checker] = [
            stack.enter_context(Orthanc()),
            stack.enter_context(DicomMicroscopyViewer()),
        ]
        slides = [*own_slides(Path(name)), *(real_slides(data) if data else ())]
        return {slide.name: _row(slide, servers) for slide in slides}


def _row(slide: TableSlide, servers: list[Checker]) -> dict[str, Verdict]:
    with converted(slide.open(), slide.source) as written:
        checkers: list[Checker] = [*_MODULES, *servers]
        return {checker.NAME: verdict_of(checker, written) for checker in checkers}


def verdict_of(checker: Checker, slide: ConvertedSlide) -> Verdict:
    """Each of a checker's objections is only excused by a limit that it is known for."""
    try:
        found = objections(checker.looks, slide)
    except CheckerAbsentError:
        return ABSENT
    if not found:
        return PASSES
    limits, reached = list(checker.limits_of(slide)), dict[str, None]()
    for objection in found:
        limit = next((limit for limit in limits if limit.excuses(objection)), None)
        if limit is None:
            return objects(objection.step, objection.error)
        reached[limit.words] = None
    return own_limit(" and ".join(reached))


def as_page(table: Table) -> str:
    """The table as it is kept in the documentation: rows of slides, columns of checkers."""
    names = list(next(iter(table.values())))
    lines = [
        _INTRODUCTION,
        "| slide | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    lines += [row_of(slide, table[slide]) for slide in table]
    return "\n".join(lines) + "\n"


def row_of(slide: str, row: Mapping[str, Verdict]) -> str:
    """One line of the page."""
    return f"| {slide} | " + " | ".join(verdict.words for verdict in row.values()) + " |"

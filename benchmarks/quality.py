"""What the quality gate finds on slides that were spoiled, and on those that were not."""

from dataclasses import dataclass
from time import process_time

from benchmarks.figures import Figure, alone
from benchmarks.quality_slides import Specimen, slides
from benchmarks.run import say
from benchmarks.spoiled import SPOILINGS
from sgi.domain.quality import FindingCode, QualityReport, Verdict
from sgi.ingest.quality.examine import examine

_UNTOUCHED = "untouched"
_WITH_OVERVIEW = "untouched, with an overview: missing"


@dataclass
class _Row:
    """How often a way of spoiling, at one strength, was found."""

    name: str
    harmless: bool
    slides: int = 0
    found: int = 0
    rescans: int = 0
    others: int = 0
    """Slides with a finding that neither the spoiling nor the untouched slide explains."""

    def as_figure(self) -> Figure:
        if self.harmless:
            return Figure(self.name, self.others, f"false alarms of {self.slides}")
        unit = f"found of {self.slides}, {self.rescans} to rescan"
        return Figure(self.name, self.found, unit, "other findings", self.others)


def measure() -> list[Figure]:
    """Hits for each way and strength of spoiling, and false alarms on what is sound."""
    rows = {_UNTOUCHED: _Row(_UNTOUCHED, harmless=True)}
    seconds: list[float] = []
    for slide in slides():
        say(f"{slide.name}, {slide.base.shape[1]} x {slide.base.shape[0]}")
        untouched = _look(slide, seconds)
        before = {finding.code for finding in untouched.findings}
        if slide.overview is None:
            _count(rows[_UNTOUCHED], untouched, set(), set())
        else:
            row = rows.setdefault(_WITH_OVERVIEW, _Row(_WITH_OVERVIEW, harmless=True))
            _count(row, untouched, set(), set(FindingCode) - {FindingCode.MISSING_TISSUE})
            before = set(FindingCode)
        for spoiling in SPOILINGS:
            if spoiling.needs_overview is (slide.overview is None):
                continue
            for strength in spoiling.strengths:
                name = f"{spoiling.name}, {strength:g} {spoiling.unit}"
                row = rows.setdefault(name, _Row(name, harmless=not spoiling.expected))
                report = _look(slide.of(spoiling.change(slide.base, strength)), seconds)
                _count(row, report, set(spoiling.expected), before)
    return [
        *(row.as_figure() for row in rows.values()),
        alone("processor time of one slide", seconds, "s"),
    ]


def _look(slide: Specimen, seconds: list[float]) -> QualityReport:
    built = slide.as_slide()
    start = process_time()
    report = examine(built).report
    seconds.append(process_time() - start)
    return report


def _count(
    row: _Row, report: QualityReport, expected: set[FindingCode], before: set[FindingCode]
) -> None:
    found = {finding.code for finding in report.findings}
    row.slides += 1
    row.found += bool(found & expected)
    row.rescans += any(
        finding.code in expected and finding.severity is Verdict.RESCAN
        for finding in report.findings
    )
    others = found - expected - before
    row.others += bool(others)
    if others or (expected and not found & expected):
        say(f"    {row.name}: {', '.join(sorted(found)) or 'nothing'}")

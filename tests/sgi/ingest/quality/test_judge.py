import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sgi.domain.quality import (
    DEFAULTS,
    FindingCode,
    Limit,
    Measures,
    QualityReport,
    QualityThresholds,
    Verdict,
)
from sgi.ingest.quality.judge import judge

ORDER = list(Verdict)
shares = st.none() | st.floats(0, 1)
worse_when_larger = {
    "blurred_share": shares,
    "missing_outside_share": shares,
    "missing_inside_share": shares,
    "stripe_step": st.none() | st.floats(0, 12),
    "seam_share": shares,
    "overexposed_share": shares,
    "underexposed_share": shares,
    "pen_share": shares,
}
measures = st.builds(Measures, tissue_share=shares, brightness=shares, **worse_when_larger)


def test_a_sound_slide_passes() -> None:
    report = judge(Measures(tissue_share=0.3, blurred_share=0.01, brightness=0.95), DEFAULTS)
    assert report.verdict is Verdict.PASS
    assert report.findings == ()


def test_the_worst_finding_is_the_verdict_and_comes_first() -> None:
    report = judge(Measures(tissue_share=0.3, pen_share=0.1, blurred_share=0.9), DEFAULTS)
    assert report.verdict is Verdict.RESCAN
    assert [finding.code for finding in report.findings] == [
        FindingCode.OUT_OF_FOCUS,
        FindingCode.PEN,
    ]
    worst = report.findings[0]
    assert (worst.value, worst.threshold) == (0.9, DEFAULTS.blurred.rescan)


def test_what_could_not_be_measured_at_all_wants_a_look() -> None:
    report = judge(Measures(), DEFAULTS)
    assert report.verdict is Verdict.LOOK
    assert [finding.code for finding in report.findings] == [FindingCode.NOT_MEASURED]


@given(measures, st.sampled_from(sorted(worse_when_larger)), st.floats(0, 12))
def test_more_of_a_fault_never_gives_a_better_verdict(
    before: Measures, name: str, more: float
) -> None:
    value = getattr(before, name)
    after = before.model_copy(update={name: (value or 0) + more})
    verdicts = [judge(measured, DEFAULTS).verdict for measured in (before, after)]
    assert ORDER.index(verdicts[1]) >= ORDER.index(verdicts[0])


@given(measures)
def test_every_finding_reached_its_threshold(measured: Measures) -> None:
    report = judge(measured, DEFAULTS)
    assert (report.verdict is Verdict.PASS) == (not report.findings)
    for finding in report.findings:
        if finding.value is not None and finding.threshold is not None:
            less = finding.code is FindingCode.NO_TISSUE
            assert (finding.value < finding.threshold) is less
    assert QualityReport.model_validate_json(report.model_dump_json()) == report


@given(measures)
def test_without_limits_everything_measured_passes(measured: Measures) -> None:
    never = QualityThresholds(
        **{
            name: Limit()
            for name, field in QualityThresholds.model_fields.items()
            if field.annotation is Limit
        }
    )
    found = {finding.code for finding in judge(measured, never).findings}
    assert found <= {FindingCode.NOT_MEASURED}


def test_limits_must_be_in_order() -> None:
    with pytest.raises(ValidationError, match="before a look"):
        Limit(look=0.5, rescan=0.2)
    assert Limit(rescan=0.2).look is None


def test_the_blurred_edge_is_the_wider_of_both() -> None:
    assert DEFAULTS.blurred_from(0.25) == 7.0
    assert DEFAULTS.blurred_from(0.5) == 5.0
    assert DEFAULTS.blurred_from(None) == 5.0

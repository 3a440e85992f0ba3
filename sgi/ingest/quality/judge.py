"""From measures to findings, and from findings to a verdict."""

from sgi.domain.quality import (
    Finding,
    FindingCode,
    Limit,
    Measures,
    QualityReport,
    QualityThresholds,
    Verdict,
)

_ORDER = tuple(Verdict)


def judge(measures: Measures, thresholds: QualityThresholds) -> QualityReport:
    """Compare every measure with its limit; what was not measured is no finding by itself."""
    candidates = [_too_little(measures.tissue_share, thresholds.least_tissue)]
    for code, value, limit in (
        (FindingCode.OUT_OF_FOCUS, measures.blurred_share, thresholds.blurred),
        (FindingCode.MISSING_TISSUE, _missing(measures), thresholds.missing),
        (FindingCode.STRIPES, measures.stripe_step, thresholds.stripes),
        (FindingCode.SEAMS, measures.seam_share, thresholds.seams),
        (FindingCode.OVEREXPOSED, measures.overexposed_share, thresholds.overexposed),
        (FindingCode.UNDEREXPOSED, measures.underexposed_share, thresholds.underexposed),
        (FindingCode.DIM, _dimness(measures), thresholds.dim),
        (FindingCode.PEN, measures.pen_share, thresholds.pen),
    ):
        candidates.append(_too_much(code, value, limit))
    if measures.tissue_share is None:
        candidates.append(
            Finding(
                code=FindingCode.NOT_MEASURED, severity=Verdict.LOOK, value=None, threshold=None
            )
        )
    findings = [finding for finding in candidates if finding is not None]
    findings.sort(key=lambda finding: -_ORDER.index(finding.severity))
    verdict = findings[0].severity if findings else Verdict.PASS
    return QualityReport(verdict=verdict, findings=tuple(findings), measures=measures)


def _too_much(code: FindingCode, value: float | None, limit: Limit) -> Finding | None:
    if value is None:
        return None
    for severity, threshold in ((Verdict.RESCAN, limit.rescan), (Verdict.LOOK, limit.look)):
        if threshold is not None and value >= threshold:
            return Finding(code=code, severity=severity, value=value, threshold=threshold)
    return None


def _too_little(value: float | None, limit: Limit) -> Finding | None:
    if value is None:
        return None
    for severity, threshold in ((Verdict.RESCAN, limit.rescan), (Verdict.LOOK, limit.look)):
        if threshold is not None and value < threshold:
            return Finding(
                code=FindingCode.NO_TISSUE, severity=severity, value=value, threshold=threshold
            )
    return None


def _missing(measures: Measures) -> float | None:
    outside, inside = measures.missing_outside_share, measures.missing_inside_share
    return None if outside is None or inside is None else outside + inside


def _dimness(measures: Measures) -> float | None:
    return None if measures.brightness is None else 1 - measures.brightness

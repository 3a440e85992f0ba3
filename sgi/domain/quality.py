"""What the quality gate says of a slide, and from where on it says so."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Verdict(StrEnum):
    """What is to be done with a slide, from the best to the worst."""

    PASS = "pass"  # noqa: S105 - not a password
    LOOK = "look"
    """Somebody should look at it before it is read."""
    RESCAN = "rescan"


class FindingCode(StrEnum):
    """What can be wrong with a slide."""

    NO_TISSUE = "no_tissue"
    OUT_OF_FOCUS = "out_of_focus"
    MISSING_TISSUE = "missing_tissue"
    STRIPES = "stripes"
    SEAMS = "seams"
    OVEREXPOSED = "overexposed"
    UNDEREXPOSED = "underexposed"
    DIM = "dim"
    PEN = "pen"
    NOT_MEASURED = "not_measured"
    """The slide is laid out so that it cannot be judged at the cost that is allowed."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Frozen):
    """One thing that is wrong, in the unit of its threshold."""

    code: FindingCode
    severity: Verdict
    """LOOK or RESCAN."""
    value: float | None
    threshold: float | None
    """What `value` reached; both None for NOT_MEASURED."""


class Measures(_Frozen):
    """What was measured; None where it could not be, never a guess. Shares go from 0 to 1."""

    tissue_share: float | None = None
    """Tissue in the whole scan."""
    blurred_share: float | None = None
    """Of the tissue whose focus could be measured."""
    focus_measured_share: float | None = None
    """Of the tissue that was looked at, what had edges to measure."""
    edge_pixels: float | None = None
    """Median width of the sharpest edges, in pixels of the base."""
    edge_um: float | None = None
    """The same in micrometres, where the pixel spacing is known."""
    missing_outside_share: float | None = None
    """Of the overview's tissue, what lies beyond the scanned area."""
    missing_inside_share: float | None = None
    """Of the overview's tissue, what the scanned area should show and does not."""
    overview_agreement: float | None = None
    """Correlation between scan and overview, up to 1; None when they could not be laid together."""
    stripe_step: float | None = None
    """Largest step of brightness along a line, in grey levels."""
    seam_share: float | None = None
    """Of the tiles looked at."""
    overexposed_share: float | None = None
    underexposed_share: float | None = None
    """Of the tissue."""
    brightness: float | None = None
    """Of empty glass, or of the brightest place where all is darker than glass could be, 0 (black)
    to 1 (white)."""
    pen_share: float | None = None
    """Of the whole scan."""
    tiles_read: int = 0
    """Tiles of the base that were looked at."""


class QualityReport(_Frozen):
    """The verdict, why, and everything that was measured."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    """The worst first."""
    measures: Measures


class HeatMapShape(_Frozen):
    """Of the picture of focus beside a slide."""

    columns: int = Field(ge=1, le=4096)
    rows: int = Field(ge=1, le=4096)
    cell_columns: int = Field(ge=1)
    cell_rows: int = Field(ge=1)
    """Pixels of the base that each value covers, from the upper left corner."""


class SlideQuality(_Frozen):
    """A slide's report, and the shape of its heat map; None where no place was measured."""

    report: QualityReport
    heat_map: HeatMapShape | None = None


class Limit(BaseModel):
    """From where on a measure asks for a look, and for a new scan; None: never."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    look: float | None = Field(default=None, ge=0)
    rescan: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.look is not None and self.rescan is not None and self.look > self.rescan:
            raise ValueError("a rescan must not be asked for before a look")
        return self


class QualityThresholds(BaseModel):
    """The limits of one establishment; a measure that reaches one is a finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blurred_edge_um: float = Field(default=1.75, gt=0, le=100)
    """Width, in micrometres on the glass, from which the sharpest edges of a place are blurred."""
    blurred_edge_pixels: float = Field(default=5.0, ge=2, le=32)
    """The same in pixels of the base: an edge is blurred when it is wider than both. Without a
    pixel spacing this one alone is used."""
    least_tissue: Limit = Limit(look=0.002)
    """Share of the scan, 0 to 1: finding when tissue covers *less*."""
    blurred: Limit = Limit(look=0.05, rescan=0.25)
    """Share of the tissue out of focus, 0 to 1."""
    missing: Limit = Limit(look=0.03, rescan=0.15)
    """Share of the overview's tissue that the scan does not hold, 0 to 1."""
    stripes: Limit = Limit(look=3.0, rescan=8.0)
    """Largest step of brightness along a line, in grey levels, 0 to 255."""
    seams: Limit = Limit(look=0.05, rescan=0.3)
    """Share of the tiles with tissue that a seam crosses, 0 to 1."""
    overexposed: Limit = Limit(look=0.15, rescan=0.5)
    """Share of the tissue lost to white, 0 to 1."""
    underexposed: Limit = Limit(look=0.1, rescan=0.4)
    """Share of the tissue lost to black, 0 to 1."""
    dim: Limit = Limit(look=0.3, rescan=0.5)
    """How much darker than white the light is, 0 (white) to 1."""
    pen: Limit = Limit(look=0.005)
    """Share of the scan covered by a pen's ink, 0 to 1."""

    def blurred_from(self, pixel_spacing_um: float | None) -> float:
        """The edge width, in pixels of the base, beyond which a place is out of focus."""
        if pixel_spacing_um is None:
            return self.blurred_edge_pixels
        return max(self.blurred_edge_pixels, self.blurred_edge_um / pixel_spacing_um)


DEFAULTS = QualityThresholds()
"""What `docs/quality.md` was measured with."""

"""What a file says about its slide, as it crosses from the reading process and into the store."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

_MOST_ENTRIES = 5000
_LONGEST_KEY = 200
_LONGEST_VALUE = 20_000
_LONGEST_NAME = 500


def _clean(text: str, longest: int) -> str:
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return readable.replace("\0", "\ufffd")[:longest]


class PathFacts(BaseModel):
    """One optical path, and how it is shown at first."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    name: str | None = None
    illumination: str = Field(default="brightfield", max_length=40)
    """"brightfield" or "fluorescence"."""
    colour: tuple[int, int, int] | None = None
    """Red, green and blue, 0 to 255, in which it is tinted; None for a path of true colours."""
    excitation_nm: float | None = None
    emission_nm: float | None = None
    window: tuple[int, int] | None = None
    """The samples that are shown black and full; None for a path of true colours."""

    @field_validator("name")
    @classmethod
    def _bounded(cls, value: str | None) -> str | None:
        return None if value is None else _clean(value, _LONGEST_NAME)


class SlideFacts(BaseModel):
    """None where the file does not say; text is bounded and free of NUL."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    format: str = Field(max_length=100)
    pixel_spacing_mm: tuple[float, float] | None
    """Of level 0: between rows, between columns."""
    objective_power: float | None
    scanned_at: datetime | None
    """With an offset only where the scanner gave one."""
    manufacturer: str | None
    model: str | None
    serial_number: str | None
    icc: bool
    """True when the file brought its own ICC profile."""
    metadata: Mapping[str, str]
    """The vendor's own words."""
    samples: int = Field(default=3, ge=1, le=3)
    """Of a pixel: 3 for colours, 1 for light alone."""
    bits: int = Field(default=8, ge=1, le=16)
    """Significant bits of a sample."""
    optical_paths: tuple[PathFacts, ...] = Field(default=(PathFacts(),), max_length=1000)
    focal_planes_um: tuple[float, ...] = Field(default=(0.0,), max_length=1000)
    """Heights, rising."""
    scene: str | None = Field(default=None, max_length=_LONGEST_NAME)
    """The name of the image where a file holds several."""
    label_text: str | None = None
    """What the file says that the label reads."""
    barcodes: tuple[str, ...] = Field(default=(), max_length=50)
    """What the scanner, and then we, read from the label; the first is the likeliest."""
    barcode_contradicts: bool = False
    """Whether the first is the file's own and the label's picture shows only others."""
    not_kept: tuple[str, ...] = Field(default=(), max_length=50)
    """What of the file is not in the slide: English sentences."""
    left_out: tuple[str, ...] = Field(default=(), max_length=10)
    """Images of the file that could not be decoded: "label", "overview", "thumbnail"."""

    @field_validator("manufacturer", "model", "serial_number")
    @classmethod
    def _bounded(cls, value: str | None) -> str | None:
        return None if value is None else _clean(value, _LONGEST_NAME)

    @field_validator("label_text")
    @classmethod
    def _bounded_text(cls, value: str | None) -> str | None:
        return None if value is None else _clean(value, _LONGEST_VALUE)

    @field_validator("barcodes", "not_kept")
    @classmethod
    def _bounded_texts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_clean(text, _LONGEST_VALUE) for text in value)

    @field_validator("metadata")
    @classmethod
    def _bounded_metadata(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        entries = list(value.items())[:_MOST_ENTRIES]
        return {_clean(key, _LONGEST_KEY): _clean(text, _LONGEST_VALUE) for key, text in entries}

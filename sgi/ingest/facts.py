"""What a file says about its slide, as it crosses from the reading process and into the store."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tiling.slide import SlideReader

_MOST_ENTRIES = 5000
_LONGEST_KEY = 200
_LONGEST_VALUE = 20_000


class SlideFacts(BaseModel):
    """None where the file does not say; text is bounded and free of NUL."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    format: str = Field(max_length=100)
    pixel_spacing_mm: tuple[float, float] | None
    """Of level 0: between rows, between columns."""
    objective_power: float | None
    scanned_at: datetime | None
    manufacturer: str | None
    model: str | None
    serial_number: str | None
    icc: bool
    metadata: Mapping[str, str]
    """The vendor's own words."""

    @field_validator("manufacturer", "model", "serial_number")
    @classmethod
    def _bounded(cls, value: str | None) -> str | None:
        return None if value is None else _clean(value, 500)

    @field_validator("metadata")
    @classmethod
    def _bounded_metadata(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        entries = list(value.items())[:_MOST_ENTRIES]
        return {_clean(key, _LONGEST_KEY): _clean(text, _LONGEST_VALUE) for key, text in entries}

    @classmethod
    def of(cls, reader: SlideReader) -> "SlideFacts":
        """What an open slide says."""
        said = reader.metadata
        return cls(
            format=reader.format,
            pixel_spacing_mm=said.pixel_spacing_mm,
            objective_power=said.objective_power,
            scanned_at=said.scanned_at,
            manufacturer=said.manufacturer,
            model=said.model,
            serial_number=said.serial_number,
            icc=said.icc_profile is not None,
            metadata=dict(said.vendor),
        )


def _clean(text: str, longest: int) -> str:
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return readable.replace("\0", "\ufffd")[:longest]

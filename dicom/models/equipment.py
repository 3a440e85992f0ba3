"""The scanner."""

from dataclasses import dataclass

from tiling.slide import SlideMetadata


@dataclass(frozen=True, slots=True)
class Equipment:
    """What scanned the slide (PS3.3 C.7.5.1 and C.7.5.2); None where the file does not say."""

    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    software: str | None = None

    @classmethod
    def of(cls, metadata: SlideMetadata) -> "Equipment":
        return cls(
            manufacturer=metadata.manufacturer,
            model=metadata.model,
            serial_number=metadata.serial_number,
            software=metadata.software,
        )

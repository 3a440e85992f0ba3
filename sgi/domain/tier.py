"""Where the instances of a slide lie."""

from enum import StrEnum


class Tier(StrEnum):
    """Of one instance; what is hot is a copy of a part of what is warm, and no row's matter."""

    WARM = "warm"
    """In the first bucket, as DICOM: read frame by frame."""
    COLD = "cold"
    """In the cold store, recompressed: it must be restored before it is read."""
    RESTORING = "restoring"
    """Still cold; its restore was asked for."""

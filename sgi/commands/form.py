"""What `sgi convert` writes; beside the command, since its help needs no library."""

from enum import StrEnum


class Form(StrEnum):
    """What a slide is converted to."""

    DICOM = "dicom"
    """One file a level and associated image, what need not be compressed again as it is."""
    OME_ZARR = "ome-zarr"
    """One Zarr with every level, without loss and in shards; no label, no overview."""

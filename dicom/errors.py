"""What can go wrong with DICOM bytes and datasets."""


class DicomError(Exception):
    """The root of every error of this package."""


class DamagedInstanceError(DicomError):
    """Bytes that should be a DICOM instance are not one, or contradict themselves."""


class UnsupportedInstanceError(DicomError):
    """A DICOM instance that is sound, but not of a kind that is read or written here."""


class FrameMismatchError(DicomError):
    """The frames handed to the writer are not the ones that were announced."""

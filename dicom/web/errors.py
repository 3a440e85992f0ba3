"""What a request can have wrong, told apart by the answer that it gets."""

from dicom.errors import DicomError


class BadQueryError(DicomError):
    """A parameter of the request is not one of PS3.18's, or its value is none."""


class NotAcceptableError(DicomError):
    """Nothing that the client takes can be given."""


class TooMuchAskedError(DicomError):
    """The request is understood, and larger than one answer may be."""

"""Rejection notes beside slides: small DICOM objects that lie in the catalogue."""

from starlette.requests import Request

from dicom.web.media import DICOM, EXPLICIT_LITTLE_ENDIAN, content_type
from sgi.api.dicomweb.addressed import address_of, notes_at
from sgi.catalogue.identities import Note
from sgi.errors import NotFoundError, RetiredError

ABSENT = (NotFoundError, RetiredError)
"""What is raised where no slide is at an address: a note may be."""


def part_of(request: Request, note: Note) -> tuple[str, int, str]:
    """Media type, length and address of it as a part of an answer."""
    address = address_of(request, note.study_uid, note.series_uid, note.sop_uid)
    return content_type(DICOM, EXPLICIT_LITTLE_ENDIAN), len(note.file), address


async def notes_or_raise(
    request: Request, error: Exception, study: str, series: str, instance: str | None = None
) -> list[Note]:
    """Those at an address at which no slide is; raises the error where there is none either."""
    found = await notes_at(request, study, series, instance)
    if not found:
        raise error
    return found

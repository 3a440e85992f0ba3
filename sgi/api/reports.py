"""`/api/v1/cases/{case}/reports/{report}`: a report as the laboratory sent it.

It comes from another system and may hold anything: it is never interpreted as a page of ours.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from sgi.api.services import actor_of, services_of, session_of
from sgi.catalogue import audit, reports
from sgi.catalogue.audit import Action
from sgi.errors import NotFoundError

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a kind of report is handed out."""

    content_type: str
    ending: str
    policy: str
    inline: bool = True


_CLOSED = "default-src 'none'; frame-ancestors 'none'"
_SANDBOX = f"sandbox; {_CLOSED}"
_TEXT = _Shown("text/plain; charset=utf-8", "txt", _SANDBOX)
# Browsers show PDF in a process of its own, and not at all within a sandbox.
_PDF = _Shown("application/pdf", "pdf", _CLOSED)
_FILE = _Shown("application/octet-stream", "bin", _SANDBOX, inline=False)
_XML = _Shown("application/octet-stream", "xml", _SANDBOX, inline=False)
_SHOWN = {
    "application/pdf": _PDF,
    "text/plain": _TEXT,
    "text/xml": _XML,
    "application/xml": _XML,
    "application/rtf": replace(_FILE, ending="rtf"),
    "image/jpeg": replace(_FILE, ending="jpg"),
    "image/png": replace(_FILE, ending="png"),
    "image/tiff": replace(_FILE, ending="tif"),
    "application/zip": replace(_FILE, ending="zip"),
}
"""Pages and pictures with scripts keep an ending that nothing opens: a saved one would run."""


@router.get("/{case_id}/reports/{report_id}", response_class=Response)
async def get_report(case_id: UUID, report_id: UUID, request: Request) -> Response:
    """The report, also one that was replaced or deleted since; PDF and text are shown, all else is
    a file to save.
    """
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        found = await reports.content(connection, case_id, report_id)
        if found is None:
            raise NotFoundError("There is no such report.")
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.VIEW_REPORT, report_id
        )
    report, content = found
    kind = report.media_type.partition(";")[0].strip().lower()
    shown = _SHOWN.get(kind, _FILE)
    if shown is _PDF and not content.startswith(b"%PDF-"):
        shown = _FILE
    way = "inline" if shown.inline else "attachment"
    return Response(
        content,
        media_type=shown.content_type,
        headers={
            "Content-Disposition": f'{way}; filename="report-{report_id}.{shown.ending}"',
            "Content-Security-Policy": shown.policy,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )

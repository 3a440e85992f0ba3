"""From a case here to the same case in the laboratory's system (SGL)."""

from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import RedirectResponse, Response

from sgi.api.launch_page import posting
from sgi.api.services import actor_of, services_of, session_of
from sgi.catalogue import audit, cases
from sgi.catalogue import launch as rows
from sgi.catalogue.audit import Action
from sgi.catalogue.launch import SglLink
from sgi.errors import ConflictError, NotFoundError

router = APIRouter(tags=["launch"])
ACCESSION = "{accession}"
_NAME = "^[a-z0-9][a-z0-9-]{0,39}$"
IN_A_URL = (
    "The accession number will stand in addresses, and so in histories and logs: prefer POST where "
    "the laboratory's system takes it."
)
Name = Annotated[str, Path(pattern=_NAME)]


class SglLinkIn(BaseModel):
    """How a case is opened there."""

    model_config = ConfigDict(extra="forbid")

    method: Literal["GET", "POST"]
    """POST sends the accession number as a field of a form; GET puts it into the address."""
    url: str = Field(max_length=500, pattern="^[!-~]+$")
    """Of GET, with `{accession}` in its path or its query."""
    field: str = Field(default="", max_length=50, pattern=r"^[A-Za-z0-9_.\-]*$")
    """Of POST: the name of the form's field."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("the address begins with https:// or http:// and a host")
        wanted = 1 if self.method == "GET" else 0
        rest = self.url.replace(ACCESSION, "")
        if self.url.count(ACCESSION) != wanted or "{" in rest or "}" in rest:
            raise ValueError("GET has {accession} in its address, once; POST has it not")
        if ACCESSION in parts.netloc:
            raise ValueError("the accession number is no part of the host")
        if (self.method == "POST") != bool(self.field):
            raise ValueError("POST goes with the name of a field, GET without one")
        return self


class SglLinkOut(BaseModel):
    """One way to the laboratory's system."""

    name: str
    method: Literal["GET", "POST"]
    url: str
    field: str
    warning: str | None
    """What to think of, for whoever sets it."""


class SglLinksOut(BaseModel):
    """By name."""

    items: list[SglLinkOut]


def _out(link: SglLink) -> SglLinkOut:
    return SglLinkOut.model_validate(
        {
            "name": link.name,
            "method": link.method,
            "url": link.url,
            "field": link.field,
            "warning": IN_A_URL if link.method == "GET" else None,
        }
    )


@router.get("/api/v1/sgl-links")
async def list_sgl_links(request: Request) -> SglLinksOut:
    """The establishment's."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        return SglLinksOut(items=[_out(each) for each in await rows.sgl_links(connection)])


@router.put("/api/v1/sgl-links/{name}")
async def set_sgl_link(name: Name, body: SglLinkIn, request: Request) -> SglLinkOut:
    """Make one, or change it."""
    services, session = services_of(request), session_of(request)
    link = SglLink(name, body.method, body.url, body.field)
    async with services.database.transaction(session.establishment_id) as connection:
        await rows.set_sgl_link(connection, session.establishment_id, link)
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.CHANGE_SGL_LINK
        )
    return _out(link)


@router.delete("/api/v1/sgl-links/{name}", status_code=204)
async def remove_sgl_link(name: Name, request: Request) -> None:
    """404 where there is none of that name."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        if not await rows.remove_sgl_link(connection, name):
            raise NotFoundError("There is no such link.")
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.CHANGE_SGL_LINK
        )


@router.get("/cases/{case_id}/sgl", include_in_schema=False)
async def open_in_sgl(
    case_id: UUID, request: Request, name: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The case in the laboratory's system, by the link of that name, or the first.

    Our own address holds our id alone; the accession number goes to the other system only.
    """
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        case = await cases.by_id(connection, case_id)
        known = [each for each in await rows.sgl_links(connection) if name in {"", each.name}]
        if case is None or not known:
            raise NotFoundError("There is no such case, or no such link.")
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.OPEN_SGL, case_id
        )
    link, number = known[0], case.accession_number
    if link.method == "POST":
        return posting(request, link.url, link.field, number)
    return RedirectResponse(
        url_of(link.url, number), status_code=303, headers={"Cache-Control": "no-store"}
    )


def url_of(template: str, accession_number: str) -> str:
    """Raises ConflictError for a number that would lead elsewhere on its host."""
    if not accession_number.strip("."):  # a segment of dots is a step up, however it is written
        raise ConflictError("The accession number cannot stand in an address.")
    return template.replace(ACCESSION, quote(accession_number, safe=""))

"""Another system opens what it means: `/IHEInvokeImageDisplay`, and one-time links below `/go/`.

Whoever comes by the first is signed in here. The second is for systems whose people cannot be: they
ask for a link with a token of their own, and whoever follows it is a guest for that case alone.
What the standard puts into the first address is never in one that we send a browser to.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

import viewer
from sgi.access.sessions import new_token, token_hash
from sgi.api.guard import (
    LOOPBACK_COOKIE,
    LOOPBACK_GUEST_COOKIE,
    SECURE_COOKIE,
    SECURE_GUEST_COOKIE,
    session_token,
)
from sgi.api.launch_page import refusal
from sgi.api.services import Services, actor_of, services_of, session_of
from sgi.catalogue import audit
from sgi.catalogue import launch as rows
from sgi.catalogue.audit import Action, Actor
from sgi.catalogue.database import Connection
from sgi.catalogue.launch import LaunchClient, TakenLink
from sgi.domain.account import Permission, Role, Session
from sgi.domain.launch import Asked, PatientAsked, StudiesAsked, asked_by, said_both_ways
from sgi.errors import (
    BusyError,
    ForbiddenError,
    LaunchContradictionError,
    LaunchRequestError,
    NotSignedInError,
    SgiError,
    SpentLinkError,
    UnknownCaseError,
    UnknownPatientError,
)

router = APIRouter(tags=["launch"])
LINK_LIFE = timedelta(minutes=2)
"""A link is made when somebody asks for the case, and followed at once."""
GUEST_LIFE = timedelta(hours=1)
_MOST_WAITING = 1000
_LONGEST_TOKEN = 200
_NO_STORE = {"Cache-Control": "no-store"}
_WORD = r"^[^\x00-\x1f\x7f]*$"


class LaunchIn(BaseModel):
    """What the page at `/IHEInvokeImageDisplay` was asked for."""

    query: str = Field(max_length=8192)
    """Of its address, without the question mark."""


class LaunchOut(BaseModel):
    """Where that is here."""

    path: str
    """Of the page to go to; it holds nothing but our own ids."""


class LaunchLinkIn(BaseModel):
    """The case to be opened, by either of its names, or by both when they agree."""

    model_config = ConfigDict(extra="forbid")

    accession_number: str | None = Field(default=None, min_length=1, max_length=64, pattern=_WORD)
    study_uid: str | None = Field(default=None, max_length=64, pattern=r"^[0-9]+(\.[0-9]+)+$")
    person: str = Field(default="", max_length=100, pattern=_WORD)
    """Who will look, as the system knows them; kept in the audit, and shown on the screen."""


class LaunchLinkOut(BaseModel):
    """A link that works once."""

    url: str
    path: str
    expires_at: datetime
    case_id: UUID


@router.get("/IHEInvokeImageDisplay", include_in_schema=False)
async def invoke_image_display(request: Request) -> Response:
    """IHE RAD-106: the case, or the slide, that the query names.

    Whoever is not signed in gets the page that asks for that, and then goes on by itself. So does
    whoever follows a link of another site: browsers keep the session's cookie back then.
    """
    services = services_of(request)
    try:
        asked = asked_by(request.url.query)
        session = await _own_session(request, services)
        if session is None:
            if not _is_for_a_person(request):
                raise NotSignedInError("Sign in first.")
            page = viewer.dist_path() / "index.html"
            return FileResponse(page, media_type="text/html", headers=_NO_STORE)
        actor = Actor(session.account_id, session.id, request.scope["state"]["address"])
        path = await _open(services, session, actor, asked)
    except SgiError as error:
        if not _is_for_a_person(request):
            raise
        return refusal(request, error)
    return RedirectResponse(path, status_code=303, headers=_NO_STORE)


@router.post("/api/v1/launch")
async def launch(body: LaunchIn, request: Request) -> LaunchOut:
    """The same for the page itself, once somebody has signed in."""
    session = session_of(request)
    path = await _open(services_of(request), session, actor_of(request), asked_by(body.query))
    return LaunchOut(path=path)


async def _client(request: Request) -> LaunchClient:
    """The system whose token it is; raises NotSignedInError."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST_TOKEN:
        async with services_of(request).database.anonymous() as connection:
            client = await rows.client_of(connection, token_hash(token))
        if client is not None:
            return client
    raise NotSignedInError("The token is none.")


@router.post("/api/v1/launch-links", status_code=201, response_model=LaunchLinkOut)
async def make_link(
    client: Annotated[LaunchClient, Depends(_client)], body: LaunchLinkIn, request: Request
) -> Response:
    """A link to one case, for one use within two minutes, by whoever has it.

    Asked for with `Authorization: Bearer` and the token that `sgi launch add` gave.
    """
    services = services_of(request)
    asked = StudiesAsked(
        tuple(filter(None, [body.study_uid])), tuple(filter(None, [body.accession_number]))
    )
    if not asked.study_uids and not asked.accession_numbers:
        raise LaunchRequestError("Neither an accession number nor a study is given.")
    token = new_token()
    async with services.database.transaction(client.establishment_id) as connection:
        found = await _studies(connection, asked)
        if not isinstance(found, list):
            raise UnknownCaseError("There is no such case.")
        if await rows.waiting_links(connection, client.id) >= _MOST_WAITING:
            raise BusyError("Too many links wait to be used.")
        link_id, expires_at = await rows.add_link(
            connection, client, found[0], body.person.strip(), token_hash(token), LINK_LIFE
        )
        actor = Actor(client.account_id, None, request.scope["state"]["address"])
        await audit.record(
            connection, client.establishment_id, actor, Action.MAKE_LAUNCH_LINK, link_id
        )
    path = f"/go/{token}"
    out = LaunchLinkOut(
        url=_address(request, services) + path,
        path=path,
        expires_at=expires_at,
        case_id=found[0],
    )
    return JSONResponse(out.model_dump(mode="json"), status_code=201, headers=_NO_STORE)


def _address(request: Request, services: Services) -> str:
    """Where people reach us; unless that is set, as the system calls us: it alone reads this."""
    if services.settings.address is not None:
        return services.settings.address
    host = request.headers.get("host", "")
    if not re.fullmatch(
        r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-f:]{2,39}\](:[0-9]{1,5})?", host
    ):
        raise LaunchRequestError("The Host header is none.")
    return f"{'https' if services.settings.secure else 'http'}://{host}"


@router.get("/go/{token}", include_in_schema=False)
async def follow_link(token: str, request: Request) -> Response:
    """Open the case of a link, as a guest; the link is used up.

    What only looks (HEAD, a browser that fetches ahead) uses nothing up.
    """
    services = services_of(request)
    if request.scope["state"]["head"] or _is_ahead(request.headers):
        return Response(status_code=204, headers=_NO_STORE)
    address = request.scope["state"]["address"]
    try:
        link = await _take(services, token, address)
    except SgiError as error:
        if not _is_for_a_person(request):
            raise
        return refusal(request, error)
    cookie = new_token()
    async with services.database.transaction(link.establishment_id) as connection:
        session_id = await rows.open_guest_session(
            connection, link, token_hash(cookie), new_token(), GUEST_LIFE
        )
        actor = Actor(link.account_id, session_id, address)
        await audit.record(
            connection, link.establishment_id, actor, Action.USE_LAUNCH_LINK, link.id
        )
    answer = RedirectResponse(_case_path([link.case_id]), status_code=303, headers=_NO_STORE)
    answer.set_cookie(
        SECURE_GUEST_COOKIE if services.settings.secure else LOOPBACK_GUEST_COOKIE,
        cookie,
        max_age=int(GUEST_LIFE.total_seconds()),
        path="/",
        secure=services.settings.secure,
        httponly=True,
        samesite="strict",
    )
    return answer


async def _take(services: Services, token: str, address: str) -> TakenLink:
    if len(token) > _LONGEST_TOKEN:
        raise SpentLinkError("There is no such link.")
    async with services.database.anonymous() as connection:
        link = await rows.take_link(connection, token_hash(token), address)
    if link is None:
        raise SpentLinkError("There is no such link.")
    if not link.taken:
        async with services.database.transaction(link.establishment_id) as connection:
            await audit.record(
                connection,
                link.establishment_id,
                Actor(link.account_id, None, address),
                Action.USE_LAUNCH_LINK,
                link.id,
                outcome="failure",
            )
        raise SpentLinkError("The link was used before, or is too old.")
    return link


async def _own_session(request: Request, services: Services) -> Session | None:
    """Of a person who is signed in; the guard asks nobody at a public address."""
    name = SECURE_COOKIE if services.settings.secure else LOOPBACK_COOKIE
    session = await services.sessions.of(session_token(request.headers, name))
    return None if session is None or session.role is Role.GUEST else session


async def _open(services: Services, session: Session, actor: Actor, asked: Asked) -> str:
    """The path of what is asked for; raises NotFoundError, ForbiddenError, and
    LaunchContradictionError where it is not certain what is meant.
    """
    if not session.may(Permission.VIEW_CASES):
        raise ForbiddenError("The account may not do this.")
    async with services.database.transaction(session.establishment_id) as connection:
        if isinstance(asked, PatientAsked):
            found: list[UUID] | UUID = await _cases_of_patient(connection, asked)
        else:
            found = await _studies(connection, asked)
        opened = found[0] if isinstance(found, list) else found
        await audit.record(connection, session.establishment_id, actor, Action.LAUNCH, opened)
    return _case_path(found) if isinstance(found, list) else f"/view/{found}"


async def _studies(connection: Connection, asked: StudiesAsked) -> list[UUID] | UUID:
    """Cases, at least one, in the order of what was asked for; or a slide that is no case's yet."""
    of_numbers = await rows.cases_by_number(connection, asked.accession_numbers)
    of_studies = await rows.cases_by_study(connection, asked.study_uids)
    by_number = [of_numbers.get(each) for each in asked.accession_numbers]
    by_uid = [of_studies.get(each) for each in asked.study_uids]
    if None in by_number:
        unknown = asked.accession_numbers[by_number.index(None)]
        raise UnknownCaseError("There is no such case.", unknown)
    if None in by_uid:
        if len(by_uid) > 1 or by_number:
            raise UnknownCaseError("There is no such study.")
        slide_id = await rows.slide_of_study(connection, asked.study_uids[0])
        if slide_id is None:
            raise UnknownCaseError("There is no such study.")
        return slide_id
    if not said_both_ways(by_uid, by_number):
        raise LaunchContradictionError("The study and the accession number are not of one case.")
    return list(dict.fromkeys(each for each in (*by_number, *by_uid) if each is not None))


async def _cases_of_patient(connection: Connection, asked: PatientAsked) -> list[UUID]:
    patients = await rows.patients_named(connection, asked.identifier, asked.assigners)
    if len(patients) > 1:
        raise LaunchContradictionError("Several patients bear this identifier.")
    for patient_id in patients:
        found = await rows.cases_of_patient(connection, patient_id, asked.newest)
        if found:
            return found
    raise UnknownPatientError("There is no such patient, or no case of theirs.")


def _case_path(cases: list[UUID]) -> str:
    """Of the first; the others, by our ids, go with it."""
    first, *others = cases
    also = f"?also={','.join(map(str, others))}" if others else ""
    return f"/cases/{first}{also}"


def _is_for_a_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _is_ahead(headers: Headers) -> bool:
    told = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')}".lower()
    return "prefetch" in told or "preview" in told

"""`/api/v1/sign-in`, `/api/v1/sign-out` and `/api/v1/me`."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from sgi.access import sign_in as access
from sgi.access.passwords import MAX_LENGTH
from sgi.api.guard import (
    LOOPBACK_COOKIE,
    LOOPBACK_GUEST_COOKIE,
    SECURE_COOKIE,
    SECURE_GUEST_COOKIE,
)
from sgi.api.services import WITHOUT_NUL, services_of, session_of
from sgi.domain.account import GRANTS, Permission, Role, Session

router = APIRouter(prefix="/api/v1", tags=["access"])


class Credentials(BaseModel):
    """What a person types."""

    name: str = Field(min_length=1, max_length=200, pattern=WITHOUT_NUL)
    password: str = Field(min_length=1, max_length=MAX_LENGTH)


class EstablishmentOut(BaseModel):
    """The establishment that an account works in."""

    id: UUID
    name: str


class Me(BaseModel):
    """The signed-in account, and the token that changes have to carry."""

    name: str
    role: Role
    permissions: list[Permission]
    """What the role may do; screens offer nothing else."""
    establishment: EstablishmentOut
    case_id: UUID | None = None
    """Of a guest: the one case that may be looked at."""
    csrf_token: str


def _me(session: Session) -> Me:
    return Me(
        name=session.account_name,
        role=session.role,
        permissions=sorted(GRANTS[session.role]),
        establishment=EstablishmentOut(
            id=session.establishment_id, name=session.establishment_name
        ),
        case_id=session.case_id,
        csrf_token=session.csrf_token,
    )


@router.post("/sign-in")
async def sign_in(credentials: Credentials, request: Request, response: Response) -> Me:
    """Open a session; its cookie is HttpOnly, SameSite=Strict and, over https, `__Host-`."""
    services = services_of(request)
    lifetime = timedelta(hours=services.settings.session_hours)
    signed_in = await access.sign_in(
        services.database,
        credentials.name,
        credentials.password,
        request.scope["state"]["address"],
        lifetime,
    )
    response.set_cookie(
        SECURE_COOKIE if services.settings.secure else LOOPBACK_COOKIE,
        signed_in.token,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=services.settings.secure,
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return _me(signed_in.session)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response) -> None:
    """End the session everywhere."""
    services = services_of(request)
    session_id = await access.sign_out(
        services.database, session_of(request), request.scope["state"]["address"]
    )
    services.sessions.forget(session_id)
    secure = services.settings.secure
    own = SECURE_COOKIE if secure else LOOPBACK_COOKIE
    guest = SECURE_GUEST_COOKIE if secure else LOOPBACK_GUEST_COOKIE
    # Nobody who signs out goes on as a guest.
    for name in (own, guest) if guest in request.cookies else (own,):
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")


@router.get("/me")
async def me(request: Request, response: Response) -> Me:
    """Who is signed in."""
    response.headers["Cache-Control"] = "no-store"
    return _me(session_of(request))

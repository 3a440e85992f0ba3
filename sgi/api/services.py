"""What routes work with, made once by the composition root."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from sgi.access.sessions import Sessions
from sgi.api.decoders import Decoders
from sgi.api.dicomweb.doors import DicomWeb
from sgi.api.feed import Feed
from sgi.api.grants import Grants
from sgi.api.profiles import Profiles
from sgi.api.regions import Regions
from sgi.api.slide_store import SlideStore
from sgi.catalogue.audit import Actor
from sgi.catalogue.database import Database
from sgi.domain.account import Session
from sgi.errors import NotSignedInError
from sgi.integrity.alarms import Alarms
from sgi.settings import Settings
from sgi.stores import Stores

WITHOUT_NUL = r"^[^\x00]*$"
"""Pattern of text that is looked for in the catalogue, which holds no NUL."""
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""Pattern of words that may be told to other systems: a line end would begin a segment of HL7."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that outlive a request."""

    settings: Settings
    database: Database
    sessions: Sessions
    feed: Feed
    slides: SlideStore
    grants: Grants
    decoders: Decoders
    stores: Stores
    dicomweb: DicomWeb
    profiles: Profiles
    regions: Regions
    alarms: Alarms


def services_of(request: Request) -> Services:
    return cast("Services", request.app.state.services)


def session_of(request: Request) -> Session:
    """The session that the guard let through; raises NotSignedInError on a public route."""
    session = request.scope["state"]["session"]
    if session is None:
        raise NotSignedInError("Sign in first.")
    return cast("Session", session)


def actor_of(request: Request) -> Actor:
    session = session_of(request)
    return Actor(session.account_id, session.id, request.scope["state"]["address"])

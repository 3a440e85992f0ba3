"""What the address of a request names: looked up for its session, and put on record as seen."""

from collections.abc import Sequence

from starlette.requests import Request

from sgi.api.dicomweb.places import MOST_SLIDES, RETIRED
from sgi.api.services import services_of, session_of
from sgi.api.slide_store import ServedSlide
from sgi.catalogue import dicomweb, identities
from sgi.catalogue.audit import Action
from sgi.catalogue.identities import Note
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.told import told_uid
from sgi.errors import MistoldError, NotFoundError, RetiredError

PREFIX = "/dicomweb"


async def study_at(request: Request, study: str) -> list[ServedSlide]:
    """The slides of a study, put on record as seen."""
    found = await services_of(request).dicomweb.places.slides_of_study(session_of(request), study)
    for served in found[:MOST_SLIDES]:
        await seen(request, served)
    return found


async def require_told_right(request: Request, found: Sequence[ServedSlide]) -> None:
    """Raises MistoldError where what would be told of any names another patient than it is of."""
    await told_right(request, found, all_of_them=True)


async def told_right(
    request: Request, found: Sequence[ServedSlide], *, all_of_them: bool = False
) -> list[ServedSlide]:
    """Those of which nothing that is told names another patient than they are of.

    Raises MistoldError where there is none, or (`all_of_them`) fewer than were given.
    """
    services, session = services_of(request), session_of(request)
    told = [served.slide.id for served in found if served.slide.told is not None]
    if not told:  # they name nobody yet
        return list(found)
    async with services.database.transaction(session.establishment_id) as connection:
        wrong = await dicomweb.mistold_of(connection, told)
    right = [served for served in found if served.slide.id not in wrong]
    if wrong and (all_of_them or not right):
        raise MistoldError("The slide is to be told of another patient; try again later.")
    return right


async def series_at(
    request: Request, study: str, series: str, *, shows_names: bool = True
) -> ServedSlide:
    """The slide of a series; put on record as seen, unless what is sent of it shows no name."""
    places = services_of(request).dicomweb.places
    served = await places.slide_of_series(session_of(request), study, series)
    if shows_names:
        await seen(request, served)
    return served


async def instance_at(
    request: Request, study: str, series: str, instance: str
) -> tuple[ServedSlide, StoredInstance]:
    """An instance and its slide, which is put on record as seen."""
    served = await series_at(request, study, series, shows_names=False)
    stored = served.instance_told(instance)
    if stored is None:
        if is_uid_retired(served.slide, instance):
            raise RetiredError(RETIRED)
        raise NotFoundError("There is no such instance.")
    await seen(request, served)
    return served, stored


async def pixels_at(
    request: Request, study: str, series: str, instance: str
) -> tuple[ServedSlide, StoredInstance]:
    """As `instance_at`, of one whose pixels are asked for.

    Those of the tissue name nobody. Those of the label do, in the study of whoever it was told of:
    raises MistoldError while that is another patient than it is of.
    """
    served, stored = await instance_at(request, study, series, instance)
    if stored.may_show_names:
        await require_told_right(request, [served])
    return served, stored


async def notes_at(
    request: Request, study: str, series: str | None = None, instance: str | None = None
) -> list[Note]:
    """Rejection notes of a study, of a series, or the one of that name; put on record as seen."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        found = await identities.notes(connection, study, series)
    notes = [note for note in found if instance in {None, note.sop_uid}]
    for note in notes:
        await services.grants.record(
            session, request.scope["state"]["address"], note.slide_id, Action.VIEW_SLIDE
        )
    return notes


def is_uid_retired(slide: Slide, uid: str) -> bool:
    """Whether an instance of the slide was told by that UID once."""
    revisions = range(slide.told.revision) if slide.told else ()
    return any(
        told_uid(slide.id, revision, stored.sop_uid) == uid
        for revision in revisions
        for stored in slide.instances
    )


async def seen(request: Request, served: ServedSlide) -> None:
    """Once a session and slide."""
    await services_of(request).grants.record(
        session_of(request), request.scope["state"]["address"], served.slide.id, Action.VIEW_SLIDE
    )


def address_of(request: Request, study: str, series: str = "", instance: str = "") -> str:
    """The absolute address of a study, series or instance, as this client reaches it."""
    parts = [f"{_origin(request)}{PREFIX}/studies/{study}"]
    if series:
        parts.append(f"series/{series}")
    if instance:
        parts.append(f"instances/{instance}")
    return "/".join(parts)


def _origin(request: Request) -> str:
    settings = services_of(request).settings
    scheme = "https" if settings.secure else "http"
    host, server = request.url.netloc, request.scope.get("server")
    # dicomweb-client leaves the port out of its Host header.
    if request.url.port is None and server is not None and not settings.behind_tls_proxy:
        usual = {"https": 443, "http": 80}[scheme]
        host += f":{server[1]}" if server[1] not in (None, usual) else ""
    return f"{scheme}://{host}"

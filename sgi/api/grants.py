"""Who has been let to which slide: decided, and put on record, once a session and slide."""

from collections import OrderedDict
from uuid import UUID

from sgi.access.sessions import Sessions
from sgi.api.slide_store import ServedSlide, SlideStore
from sgi.catalogue import audit
from sgi.catalogue.audit import Action, Actor
from sgi.catalogue.database import Database
from sgi.domain.account import Session
from sgi.errors import NotFoundError

_GRANTS = 10_000


def slide_id_of(text: str) -> UUID:
    """The id of its canonical text only, so that a slide has one address; else NotFoundError."""
    try:
        slide_id = UUID(text)
    except ValueError:
        raise NotFoundError("There is no such slide.") from None
    if str(slide_id) != text:
        raise NotFoundError("There is no such slide.")
    return slide_id


class Grants:
    """Gives slides to sessions, and sees that each use is in the audit.

    Remembers ids alone, those asked for lately: what it forgets costs a question to the audit,
    never a second row. A session's grants go when the session is forgotten.
    """

    def __init__(self, slides: SlideStore, database: Database, sessions: Sessions) -> None:
        self._slides = slides
        self._database = database
        self._granted: OrderedDict[tuple[UUID, UUID, Action], None] = OrderedDict()
        sessions.when_forgotten(self._forget)

    async def slide(self, session: Session, slide_id: UUID) -> ServedSlide:
        """A slide of the session's establishment; raises NotFoundError otherwise."""
        return await self._slides.open(session.establishment_id, slide_id)

    async def record(self, session: Session, address: str, slide_id: UUID, action: Action) -> None:
        """Put the use on record, unless this session's is there already."""
        grant = (session.id, slide_id, action)
        if grant not in self._granted:
            actor = Actor(session.account_id, session.id, address)
            async with self._database.transaction(session.establishment_id) as connection:
                await audit.record_once(
                    connection, session.establishment_id, actor, action, slide_id
                )
            self._granted[grant] = None
            if len(self._granted) > _GRANTS:
                self._granted.popitem(last=False)
        else:
            self._granted.move_to_end(grant)

    def _forget(self, session_id: UUID | None) -> None:
        if session_id is None:
            self._granted.clear()
            return
        for grant in [grant for grant in self._granted if grant[0] == session_id]:
            del self._granted[grant]

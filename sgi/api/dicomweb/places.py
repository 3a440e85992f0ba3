"""From the UIDs of an address to the slide and the instance that they name."""

import re
from collections import OrderedDict
from uuid import UUID

from sgi.api.grants import Grants
from sgi.api.slide_store import ServedSlide
from sgi.catalogue import dicomweb, identities
from sgi.catalogue.database import Database
from sgi.domain.account import Session
from sgi.errors import NotFoundError, RetiredError

MOST_SLIDES = 200
"""Of one study that are told, or sent, in one answer."""
RETIRED = "What these instances said of the slide was corrected: they are others now; search again."
_UID = re.compile(r"[0-9.]{1,64}")
_SERIES_IN_MEMORY = 10_000


class Places:
    """Finds slides by their UIDs, within the session's establishment."""

    def __init__(self, database: Database, grants: Grants) -> None:
        self._database = database
        self._grants = grants
        self._known: OrderedDict[tuple[UUID, str, str], UUID] = OrderedDict()

    async def slides_of_study(self, session: Session, study_uid: str) -> list[ServedSlide]:
        """Every slide of a study, one more than `MOST_SLIDES` at most; none where all that is left
        of it are notes of what was retired.

        Raises NotFoundError where there is no study.
        """
        _require_uid(study_uid)
        async with self._database.transaction(session.establishment_id) as connection:
            found = await dicomweb.slides_of_study(connection, study_uid, MOST_SLIDES + 1)
            if not found and await identities.notes(connection, study_uid, limit=1):
                return []
            if not found and await identities.is_retired(connection, study_uid, None):
                raise RetiredError(RETIRED)
        if not found:
            raise NotFoundError("There is no such study.")
        return [await self._grants.slide(session, slide_id) for slide_id in found]

    async def slide_of_series(
        self, session: Session, study_uid: str, series_uid: str
    ) -> ServedSlide:
        """The slide that a series is; raises NotFoundError."""
        _require_uid(study_uid)
        _require_uid(series_uid)
        place = (session.establishment_id, study_uid, series_uid)
        slide_id = self._known.get(place)
        if slide_id is not None:
            served = await self._grants.slide(session, slide_id)
            if _is_at(served, study_uid, series_uid):
                self._known.move_to_end(place)
                return served
            self._known.pop(place, None)
        async with self._database.transaction(session.establishment_id) as connection:
            slide_id = await dicomweb.slide_of_series(connection, study_uid, series_uid)
            if slide_id is None:
                if await identities.is_retired(connection, study_uid, series_uid):
                    raise RetiredError(RETIRED)
                raise NotFoundError("There is no such series.")
        served = await self._grants.slide(session, slide_id)
        if _is_at(served, study_uid, series_uid):
            self._known[place] = slide_id
            if len(self._known) > _SERIES_IN_MEMORY:
                self._known.popitem(last=False)
        return served


def _is_at(served: ServedSlide, study_uid: str, series_uid: str) -> bool:
    """Or it is told otherwise since it was found there."""
    return (served.slide.told_study_uid, served.slide.told_series_uid) == (study_uid, series_uid)


def _require_uid(uid: str) -> None:
    if _UID.fullmatch(uid) is None:
        raise NotFoundError("The address names no UID.")

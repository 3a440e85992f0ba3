"""By which UIDs a slide's image goes now: those that its instances say once they were told anew."""

from dataclasses import dataclass
from uuid import UUID

from sgi.catalogue.database import Connection


@dataclass(frozen=True, slots=True)
class ImageUids:
    """Of a slide, and which glass it is of."""

    glass_id: UUID | None
    study_uid: str
    series_uid: str


async def uids_of_image(connection: Connection, slide_id: UUID) -> ImageUids | None:
    """None for a slide that is not there any more."""
    cursor = await connection.execute(
        """select glass_id, coalesce(told_study_uid, study_uid) as study_uid,
               coalesce(told_series_uid, series_uid) as series_uid
           from slide where id = %s""",
        [slide_id],
    )
    row = await cursor.fetchone()
    return None if row is None else ImageUids(**row)

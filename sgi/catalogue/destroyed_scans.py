"""What a glass and its case hear of a slide that is destroyed."""

from dataclasses import dataclass
from uuid import UUID

from sgi.catalogue import cases, glass_scans, outbox, scan_history
from sgi.catalogue.database import Connection
from sgi.domain.retention import Destruction


@dataclass(frozen=True, slots=True)
class Leaving:
    """A slide with a glass, on its way to be destroyed."""

    establishment_id: UUID
    slide_id: UUID
    glass_id: UUID
    glass_identifier: str
    case_id: UUID | None


async def to_be_destroyed(connection: Connection, destruction_id: UUID) -> Leaving | None:
    """The slide of a destruction that has not begun; None where it has no glass."""
    cursor = await connection.execute(
        """select s.establishment_id, s.id, s.glass_id, g.identifier, g.case_id
           from destruction d join slide s on s.id = d.slide_id join glass g on g.id = s.glass_id
           where d.id = %s""",
        [destruction_id],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return Leaving(
        row["establishment_id"], row["id"], row["glass_id"], row["identifier"], row["case_id"]
    )


async def destroyed(connection: Connection, left: Leaving, destruction: Destruction) -> None:
    """The slide is gone: the laboratory and the case hear that it is no image any more, and the
    case's history says who wanted it.
    """
    await glass_scans.choose_current(connection, left.glass_id)
    await outbox.image(
        connection, left.establishment_id, left.glass_id, left.slide_id, available=False
    )
    if left.case_id is not None:
        await scan_history.destroyed(connection, left.case_id, left.glass_identifier, destruction)
        await cases.reassess(connection, left.case_id)

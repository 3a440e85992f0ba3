"""Days of a patient's that say how long slides are kept: the last stay or visit, and the death.

They hang on the record that the message named, as cases do: a merge that is taken back takes them
along. A day that was said stays, whatever is said later: slides are kept longer for it, never
shorter.
"""

from datetime import date
from uuid import UUID

from sgi.catalogue.database import Connection


async def hear(
    connection: Connection,
    establishment_id: UUID,
    patient_id: UUID,
    *,
    stay: date | None = None,
    died_on: date | None = None,
) -> None:
    """The newest of each counts, in whatever order they come."""
    if stay is None and died_on is None:
        return
    await connection.execute(
        """insert into patient_days as d (patient_id, establishment_id, stay, died_on)
           values (%s, %s, %s, %s)
           on conflict (patient_id) do update
           set stay = greatest(d.stay, excluded.stay),
               died_on = greatest(d.died_on, excluded.died_on)
           where (greatest(d.stay, excluded.stay), greatest(d.died_on, excluded.died_on))
                 is distinct from (d.stay, d.died_on)""",
        [patient_id, establishment_id, stay, died_on],
    )

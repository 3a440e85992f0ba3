"""Two messages that concern one patient or case take turns.

All locks of a message are taken at once and in order, so that nobody waits for somebody who waits
for them.
"""

from collections.abc import Iterable
from uuid import UUID

from sgi.catalogue import turns
from sgi.catalogue.database import Connection


async def lock(connection: Connection, keys: Iterable[int]) -> None:
    """Wait until nobody else has any of these locks; they are ours until the commit.

    Which is durable, however the database is set: nothing is acknowledged that a crash can undo.
    """
    await connection.execute(_LOCK, [sorted(set(keys))])


_LOCK = """
select pg_advisory_xact_lock(key), set_config('synchronous_commit',
    coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), true)
from unnest(%s::bigint[]) as key
"""


def key_of_name(establishment_id: UUID, name: str) -> int:
    """Of what a message is about."""
    return turns.key_of_name(establishment_id, name.encode())


def key_of_message(establishment_id: UUID, interface: str, raw: bytes) -> int:
    """Of the very message: whoever brings it twice at once waits."""
    return turns.key_of_name(establishment_id, interface.encode() + b"\0" + raw)

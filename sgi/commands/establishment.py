"""`sgi establishment`: the laboratories that share this machine, each within walls of its own."""

from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from sgi.catalogue import accounts, audit
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Database
from sgi.errors import ConfigurationError, ConflictError, InvalidRequestError

_LONGEST_NAME = 100


async def add_establishment(url: str, name: str) -> UUID:
    """Create one; the worker tells the store of it.

    Raises InvalidRequestError for a name that is none, ConflictError for one that is taken.
    """
    name = name.strip()
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidRequestError("An establishment's name has 1 to 100 printable characters.")
    # The application itself may not: it is done on the machine, as the database's owner.
    try:
        async with await AsyncConnection.connect(url, row_factory=dict_row) as owner:
            establishment_id = await accounts.add_establishment(owner, name)
            await audit.record(
                owner, establishment_id, SYSTEM, Action.ADD_ESTABLISHMENT, establishment_id
            )
    except psycopg.errors.UniqueViolation as error:
        raise ConflictError("There is an establishment of that name; choose another.") from error
    return establishment_id


async def names(url: str) -> list[str]:
    """Of all of them, the first one first."""
    async with Database(url, size=1) as database, database.anonymous() as connection:
        return [name for _, name in await accounts.establishments(connection)]


async def establishment_named(database: Database, name: str) -> UUID:
    """The first one where the name is empty; raises ConfigurationError where there is none."""
    async with database.anonymous() as connection:
        known = await accounts.establishments(connection)
    if not known:
        raise ConfigurationError("There is no establishment yet; start `sgi up` first.")
    chosen = [each for each, called in known if name in {"", called}]
    if not chosen:
        raise ConfigurationError("There is no such establishment; see `sgi establishment list`.")
    return chosen[0]

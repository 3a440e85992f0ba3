"""`sgi launch`: which systems may ask for links that open one case once."""

import re
from uuid import uuid4

import psycopg

from sgi.access.sessions import new_token, token_hash
from sgi.catalogue import accounts, audit, launch
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Database
from sgi.commands.establishment import establishment_named
from sgi.domain.account import Role
from sgi.errors import ConflictError, InvalidRequestError, NotFoundError

_NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_NO_PASSWORD = "none"  # noqa: S105 - no hash, so that no password is right


async def add_client(url: str, name: str, establishment: str = "") -> str:
    """Make a token for a system of an establishment (the first one by default), and its guest.

    The token is told once, and kept as a hash alone. Raises InvalidRequestError for a name that is
    none, ConflictError for one that is taken, ConfigurationError where there is no establishment.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequestError("A name has 1 to 40 small letters, figures and hyphens.")
    token = new_token()
    async with Database(url, size=1) as database:
        establishment_id = await establishment_named(database, establishment)
        try:
            async with database.transaction(establishment_id) as connection:
                account_id = await accounts.add_account(
                    connection,
                    establishment_id,
                    f"guest of {name} {uuid4().hex[:8]}",
                    Role.GUEST,
                    _NO_PASSWORD,
                )
                await launch.add_client(
                    connection, establishment_id, account_id, name, token_hash(token)
                )
                await audit.record(
                    connection, establishment_id, SYSTEM, Action.ADD_LAUNCH_CLIENT, account_id
                )
        except psycopg.errors.UniqueViolation as error:
            raise ConflictError("There is a system of that name; end it first.") from error
    return token


async def end_client(url: str, name: str, establishment: str = "") -> None:
    """Its token, its links and its guests' sessions end at once; raises NotFoundError."""
    async with Database(url, size=1) as database:
        establishment_id = await establishment_named(database, establishment)
        async with database.transaction(establishment_id) as connection:
            account_id = await launch.disable_client(connection, name)
            if account_id is None:
                raise NotFoundError(f"There is no system called {name}.")
            await accounts.close_sessions(connection, account_id)
            await audit.record(
                connection, establishment_id, SYSTEM, Action.END_LAUNCH_CLIENT, account_id
            )

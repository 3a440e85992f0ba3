"""`sgi account add`: another local account, until people come from elsewhere."""

import secrets

import psycopg

from sgi.access import passwords
from sgi.catalogue import accounts, audit
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Database
from sgi.commands.establishment import establishment_named
from sgi.domain.account import Role
from sgi.errors import ConflictError, InvalidRequestError

_LONGEST_NAME = 100
SHORTEST_PASSWORD = 12


def new_password() -> str:
    """One that cannot be guessed: 96 random bits."""
    return secrets.token_urlsafe(12)


async def add_account(
    url: str, name: str, role: Role, password: str, establishment: str = ""
) -> None:
    """Create an account in an establishment, the first one by default.

    Raises InvalidRequestError for a name or a password that is no good, ConflictError for a name
    that is taken (also by an account that is disabled), ConfigurationError where there is no
    such establishment.
    """
    name = name.strip()
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidRequestError("An account's name has 1 to 100 printable characters.")
    if role is Role.GUEST:
        raise InvalidRequestError("Guests come by links: see `sgi launch add`.")
    if not SHORTEST_PASSWORD <= len(password) <= passwords.MAX_LENGTH:
        raise InvalidRequestError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    async with Database(url, size=1) as database:
        establishment_id = await establishment_named(database, establishment)
        try:
            async with database.transaction(establishment_id) as connection:
                account_id = await accounts.add_account(
                    connection, establishment_id, name, role, passwords.hash_password(password)
                )
                await audit.record(
                    connection, establishment_id, SYSTEM, Action.CREATE_ACCOUNT, account_id
                )
        except psycopg.errors.UniqueViolation as error:
            raise ConflictError("There is an account of that name; choose another.") from error

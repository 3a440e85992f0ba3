"""The first establishment and its first account, `admin`."""

import logging
import secrets
from pathlib import Path
from uuid import UUID

import psycopg

from sgi.access import passwords
from sgi.catalogue import accounts, audit
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Database
from sgi.domain.account import Account, Role
from sgi.stored.establishment import StoredEstablishment, write_establishment
from storage.errors import StorageError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
NAME = "admin"


def kept_password(folder: Path) -> str:
    """The password made at the first start, kept in a file that only its owner reads."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "admin-password"
    if not path.exists() or not path.read_text().strip():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12) + "\n")
    return path.read_text().strip()


def ensure_establishment(url: str, name: str, store: ObjectStore) -> None:
    """Create the first establishment when there is none; needs the owner's connection.

    The store hears of it before the catalogue does; one that is away hears of it from the worker.
    """
    with psycopg.connect(url) as connection:
        made = connection.execute(
            "insert into establishment (name) select %s where not exists "
            "(select from establishment) returning id, created_at",
            [name],
        ).fetchone()
        if made is not None:
            stored = StoredEstablishment(
                establishment_id=made[0], establishment_name=name, created_at=made[1]
            )
            try:
                write_establishment(store, stored)
            except StorageError as error:
                _log.warning("the establishment is not stored yet: %s", type(error).__name__)


async def ensure_first_account(database: Database, password: str) -> None:
    """Create `admin`, or give it this password where it has another.

    A new password ends the account's sessions. A disabled account stays as it is.
    """
    async with database.anonymous() as connection:
        establishment_id, _ = (await accounts.establishments(connection))[0]
        account = await accounts.account_named(connection, NAME)
    if account is not None and passwords.matches(account.password_hash, password):
        return
    try:
        await _write(database, establishment_id, account, passwords.hash_password(password))
    except psycopg.errors.UniqueViolation:
        _log.warning("the account %s is disabled: nobody signs in with it", NAME)


async def _write(
    database: Database, establishment_id: UUID, account: Account | None, password_hash: str
) -> None:
    async with database.transaction(
        account.establishment_id if account else establishment_id
    ) as connection:
        if account is None:
            account_id = await accounts.add_account(
                connection, establishment_id, NAME, Role.ADMINISTRATOR, password_hash
            )
            action = Action.CREATE_ACCOUNT
        else:
            account_id, establishment_id = account.id, account.establishment_id
            await accounts.set_password_hash(connection, account_id, password_hash)
            await accounts.close_sessions(connection, account_id)
            action = Action.SET_PASSWORD
        await audit.record(connection, establishment_id, SYSTEM, action, account_id)

"""Signing in and out: rate limits, audit, session."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sgi.access import passwords, sessions
from sgi.catalogue import accounts, audit
from sgi.catalogue.audit import Action, Actor
from sgi.catalogue.database import Database
from sgi.domain.account import Role, Session
from sgi.errors import TooManyAttemptsError, WrongCredentialsError

_log = logging.getLogger(__name__)
WINDOW = timedelta(minutes=5)
FAILURES_OF_PAIR = 5
"""Failures of one name from one address within the window before sign-in closes for it."""
FAILURES_OF_ADDRESS = 30
FAILURES_OF_NAME = 50


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and the token that only its cookie holds."""

    session: Session
    token: str


def _name_hash(name: str) -> bytes:
    return hashlib.sha256(name.strip().lower().encode()).digest()


async def sign_in(
    database: Database, name: str, password: str, address: str, lifetime: timedelta
) -> SignedIn:
    """Open a session for the account of that name.

    Raises WrongCredentialsError, or TooManyAttemptsError after repeated failures; both take
    effect before the password is looked at. Every failure of an account leaves an audit row; one
    of an unknown name belongs to no establishment, and is a line in the log.
    """
    name_hash = _name_hash(name)
    async with database.anonymous() as connection:
        of_pair, of_address, of_name = await accounts.sign_in_failures(
            connection, name_hash, address, WINDOW
        )
        if (
            of_pair >= FAILURES_OF_PAIR
            or of_address >= FAILURES_OF_ADDRESS
            or of_name >= FAILURES_OF_NAME
        ):
            raise TooManyAttemptsError(
                "Too many failed sign-ins; wait a few minutes and try again.",
                retry_after_s=int(WINDOW.total_seconds()),
            )
        # A failure until it is proved right: many at the same moment count as many.
        await accounts.record_sign_in_failure(connection, name_hash, address)
        account = await accounts.account_named(connection, name.strip())
    if account is not None and account.role is Role.GUEST:  # has no password that could be right
        account = None
    known_hash = None if account is None else account.password_hash
    if not await passwords.check(known_hash, password) or account is None:
        if account is not None:
            async with database.transaction(account.establishment_id) as connection:
                actor = Actor(account_id=account.id, address=address)
                await audit.record(
                    connection,
                    account.establishment_id,
                    actor,
                    Action.SIGN_IN,
                    outcome="failure",
                )
        else:
            # Not the name: people type passwords into that field.
            _log.warning("a sign-in with an unknown name failed, from %s", address)
        raise WrongCredentialsError("The name or the password is not right.")

    token = sessions.new_token()
    async with database.transaction(account.establishment_id) as connection:
        session_id = await accounts.open_session(
            connection, account, sessions.token_hash(token), sessions.new_token(), lifetime
        )
        actor = Actor(account.id, session_id, address)
        await audit.record(connection, account.establishment_id, actor, Action.SIGN_IN)
        await accounts.forget_sign_in_failures(connection, name_hash, address)
        session = await accounts.session_of(connection, sessions.token_hash(token))
    if session is None:  # disabled in this very moment
        raise WrongCredentialsError("The name or the password is not right.")
    return SignedIn(session, token)


async def sign_out(database: Database, session: Session, address: str) -> UUID:
    """End a session; every server forgets it at once."""
    async with database.transaction(session.establishment_id) as connection:
        await accounts.close_session(connection, session.id)
        actor = Actor(session.account_id, session.id, address)
        await audit.record(connection, session.establishment_id, actor, Action.SIGN_OUT)
    return session.id

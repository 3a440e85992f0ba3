"""Which failures mean that the database is away, so that the same may go well later."""

import psycopg
from psycopg_pool import PoolTimeout

AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)
"""What `is_away` looks at: some of these are about what was asked, and come back for ever."""

_STATES = ("08", "40", "53", "57P", "55P03")
"""No connection, met another, full, shut down, locked by somebody (SQLSTATE)."""


def is_away(error: Exception) -> bool:
    """Whether the failure has nothing to do with what was asked.

    A connection that is lost has no SQLSTATE; all else that the database refuses, such as a value
    that is too long for an index, it would refuse again.
    """
    if not isinstance(error, AWAY):
        return False
    if not isinstance(error, psycopg.OperationalError) or error.sqlstate is None:
        return True
    return error.sqlstate.startswith(_STATES)

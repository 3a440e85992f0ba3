"""Bring the database to the version that this code needs."""

from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

_LOCK = 0x5347_4900  # "SGI": one migration at a time, on however many hosts


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(url: str) -> tuple[str | None, str]:
    """Apply every missing migration; return the version before and the version now.

    Safe to run at every start and from several hosts at once: an advisory lock queues them.
    Raises psycopg.Error when the database cannot be reached or a statement fails.
    """
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url),
        poolclass=sqlalchemy.NullPool,
    )
    config = _configuration()
    with psycopg.connect(url, autocommit=True) as lock, engine.connect() as connection:
        lock.execute("select pg_advisory_lock(%s)", [_LOCK])
        before = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migration; install it again")
    return before, head

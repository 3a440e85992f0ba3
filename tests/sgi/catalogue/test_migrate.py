from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from sgi.catalogue.migrate import migrate
from sgi.engines.process import wait_until


@pytest.fixture
def empty(url: str) -> str:
    """A database of its own on the same server; it goes with the server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create database empty_one")
    return url.replace("/sgi?", "/empty_one?")


def test_from_nothing_from_several_hosts_at_once(empty: str) -> None:
    with ThreadPoolExecutor(3) as hosts:
        found = list(hosts.map(migrate, [empty] * 3))
    head = found[0][1]
    assert sorted(found, key=str) == sorted([(None, head), (head, head), (head, head)], key=str)
    assert migrate(empty) == (head, head)


def test_again_changes_nothing(url: str, here: Any) -> None:
    dump = """select table_name, column_name, data_type from information_schema.columns
              where table_schema = 'public' order by 1, 2"""
    with psycopg.connect(url) as connection:
        before = connection.execute(dump).fetchall()
        connection.commit()
        assert migrate(url)[0] == migrate(url)[1]
        assert connection.execute(dump).fetchall() == before
        assert connection.execute(
            "select count(*) from establishment where id = %s", [here.id]
        ).fetchone() == (1,)


def test_no_lock_is_left(url: str) -> None:
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:

        def is_free() -> bool:
            found = connection.execute("select from pg_locks where locktype = 'advisory'")
            return found.fetchone() is None

        assert wait_until(is_free, 10), "the server ends a closed session in its own time"


def test_a_database_that_is_not_there() -> None:
    with pytest.raises(psycopg.OperationalError):
        migrate("postgresql://nobody@/nothing?host=/nowhere")

"""The jobs as a worker runs them: labels are looked at, slides are told, at once and again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from sgi.domain.slide import Slide
from sgi.identity.tasks import register as register_identities
from sgi.ingest.identify import Looks, identify
from sgi.jobs.identity import defer_telling
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import PROMPT_QUEUE, open_queue
from sgi.stores import Stores

ROW = "select * from slide where id = %s"


@pytest.fixture(autouse=True)
def no_jobs(url: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("delete from procrastinate_jobs")


@pytest.fixture
def lab(laboratory: Any, here: Any) -> Any:
    return laboratory(here)


@pytest.fixture
def keeping(settings: Any, lab: Any, store: Any) -> Keeping:
    return Keeping(settings, lab.database, Stores(store))


@pytest.fixture
def publish_coded(
    lab: Any, store: Any, convert_into: Any, publish_converted: Callable[..., Slide]
) -> Callable[[str], Slide]:
    def make(code: str) -> Slide:
        made = convert_into(store)
        facts = made.facts.model_copy(update={"barcodes": (code,)})
        return publish_converted(lab.establishment, store, replace(made, facts=facts), "a.svs")

    return make


def work(run: Any, url: str, keeping: Keeping) -> None:
    """Whatever waits in the prompt queue, until nothing does."""

    async def working() -> None:
        queue = open_queue(url)
        register_identities(queue, keeping)
        queue.periodic_registry.periodic_tasks.clear()
        async with queue.open_async():
            await queue.run_worker_async(
                queues=[PROMPT_QUEUE],
                wait=False,
                install_signal_handlers=False,
                listen_notify=False,
            )

    run(working())


def test_a_slide_that_is_identified_is_told_by_the_job(
    run: Any, url: str, lab: Any, keeping: Keeping, publish_coded: Any
) -> None:
    lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = publish_coded("26P1.A.1.1")
    assert run(identify(lab.database, slide, []))
    work(run, url, keeping)
    (row,) = lab.rows(ROW, slide.id)
    assert row["identity_revision"] == 1


def test_one_job_that_waits_is_enough_and_none_where_nothing_is_due(
    run: Any, url: str, lab: Any, keeping: Keeping, publish_coded: Any
) -> None:
    work(run, url, keeping)
    count = "select count(*) as n from procrastinate_jobs where status = 'todo'"
    lab.do(defer_telling)
    assert lab.rows(count) == [{"n": 0}]
    lab.asset("26P1.A.1.1", accession_number="26P1")
    for _ in range(2):
        run(identify(lab.database, publish_coded("26P1.A.1.1"), []))
    assert lab.rows(count) == [{"n": 1}]
    work(run, url, keeping)


def test_slides_of_before_are_looked_at(
    run: Any, lab: Any, keeping: Keeping, publish_coded: Any
) -> None:
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    found, unknown = publish_coded("26P1.A.1.1"), publish_coded("26P9")
    assert lab.rows(ROW, found.id)[0]["unidentified"] == "waiting"
    assert run(Looks(keeping).round()) >= 2
    assert lab.rows(ROW, found.id)[0]["glass_id"] == glass
    assert lab.rows(ROW, unknown.id)[0]["unidentified"] == "unknown"
    assert run(Looks(keeping).round()) == 0


def test_an_interface_may_say_where_in_a_code_the_identifier_is(
    run: Any, lab: Any, keeping: Keeping, publish_coded: Any
) -> None:
    folder = keeping.settings.interfaces
    folder.mkdir(parents=True)
    (folder / "own.toml").write_text(
        f"""establishment = "{lab.establishment.name}"
[patterns]
slide = 'SGL;(?P<id>[^;]+);.*'
"""
    )
    glass = lab.asset("26P1.A.1.1", accession_number="26P1")
    slide = publish_coded("SGL;26P1.A.1.1;H")
    run(Looks(keeping).round())
    assert lab.rows(ROW, slide.id)[0]["glass_id"] == glass

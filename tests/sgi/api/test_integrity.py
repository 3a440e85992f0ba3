"""What is known of the soundness of what is stored, over REST, and alarms that reads ring."""

import csv
import io
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sgi.api.integrity import _lines
from sgi.catalogue import incidents, integrity
from sgi.domain.account import Role
from sgi.domain.integrity import Damage, Finding, FoundBy, Place
from sgi.domain.slide import Slide
from sgi.stored.keys import frame_hashes_key, instance_key


@pytest.fixture
def found(run: Any, database: Any, here: Any, slide: Slide) -> str:
    """An incident of the slide."""

    async def report() -> str:
        async with database.transaction(here.id) as connection:
            finding = Finding(Place.WARM, f"slides/{slide.id}/x", Damage.MISSING, "Not there.")
            made = await incidents.report(connection, here.id, slide.id, finding, FoundBy.SCRUB)
            return str(made.id)

    told: str = run(report())
    return told


@pytest.fixture
def alarmed(web: Any, run: Any, client: Any) -> Callable[[], list[Any]]:
    """What is on record once every alarm has settled."""

    def read() -> list[Any]:
        run(web.services.alarms.settled())
        items: list[Any] = web.get(client, "/api/v1/integrity/incidents").json()["items"]
        return items

    return read


def test_the_state(web: Any, client: Any, slide: Slide, found: str) -> None:
    told = web.get(client, "/api/v1/integrity").json()
    assert told["slides"] == told["never_verified"] == told["not_copied"] == 1
    assert told["bytes"] == sum(instance.size_bytes for instance in slide.instances)
    assert told["oldest_verified_at"] is None
    assert (told["open"], told["repaired"], told["accepted"]) == (1, 0, 0)
    assert told["pass_days"] == pytest.approx(told["bytes"] / 20e6 / 86_400)


def test_incidents_are_accepted_once_by_those_who_may(
    web: Any, client: Any, here: Any, slide: Slide, found: str, audit_rows: Any
) -> None:
    pathologist = web.signed_in(here, Role.PATHOLOGIST)
    assert web.get(pathologist, "/api/v1/integrity").status_code == 403
    address = f"/api/v1/integrity/incidents/{found}/accept"
    assert web.run(pathologist.post(address)).status_code == 403
    accepted = web.run(client.post(address))
    assert accepted.json()["state"] == "accepted"
    assert web.run(client.post(address)).status_code == 409
    assert web.run(client.post(address.replace(found, str(uuid.uuid4())))).status_code == 404
    for state, number in (("open", 0), ("accepted", 1), ("repaired", 0)):
        told = web.get(client, f"/api/v1/integrity/incidents?state={state}").json()
        assert len(told["items"]) == number
    assert "accept_damage" in [row["action"] for row in audit_rows(here)]


def test_others_see_nothing_of_it(web: Any, there: Any, found: str) -> None:
    other = web.signed_in(there)
    assert web.get(other, "/api/v1/integrity/incidents").json() == {"items": []}
    address = f"/api/v1/integrity/incidents/{found}/accept"
    assert web.run(other.post(address)).status_code == 404


def test_a_slide_is_shown_as_damaged(web: Any, client: Any, slide: Slide, found: str) -> None:
    assert web.get(client, f"/api/v1/slides/{slide.id}").json()["damaged"]
    (listed,) = web.get(client, "/api/v1/slides").json()["items"]
    assert listed["damaged"]


def test_the_fixity_report(web: Any, client: Any, slide: Slide, found: str) -> None:
    answer = web.get(client, "/api/v1/integrity/fixity.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert line["slide"] == str(slide.id)
    assert line["verified_at"] == ""
    assert int(line["bytes"]) == sum(instance.size_bytes for instance in slide.instances)
    assert line["incidents"] == "1"


def test_the_fixity_report_comes_in_pages(
    web: Any, run: Any, database: Any, here: Any, there: Any, store: Any,
    publish: Callable[..., Slide],
) -> None:  # fmt: skip
    published = [publish(here, store).id for _ in range(3)]
    publish(there, store)

    async def read() -> list[Any]:
        found, last = [], None
        while True:
            async with database.transaction(here.id) as connection:
                page = await integrity.fixity_page(connection, last, limit=2)
            if not page:
                return found
            found.append([row.slide_id for row in page])
            last = page[-1]

    assert run(read()) == [published[:2], published[2:]]


def test_whoever_reads_the_fixity_report_slowly_holds_no_connection(
    web: Any, client: Any, here: Any, slide: Slide
) -> None:
    async def read() -> None:
        lines = _lines(web.services, here.id)
        for _ in range(2):
            await anext(lines)
        assert (
            web.services.database._pool.get_stats()["pool_available"]
            == (web.services.database._pool.get_stats()["pool_size"])
        )
        await lines.aclose()

    web.run(read())


def test_a_check_is_queued_once(web: Any, client: Any, slide: Slide, url: str) -> None:
    address = f"/api/v1/integrity/slides/{slide.id}/verify"
    for _ in range(2):
        assert web.run(client.post(address)).status_code == 202
    assert (
        web.run(client.post(address.replace(str(slide.id), str(uuid.uuid4())))).status_code == 404
    )
    assert checks(url, slide) == 1


def test_a_damaged_frame_rings_once(
    web: Any,
    client: Any,
    slide: Slide,
    url: str,
    rot: Callable[[int, int], None],
    alarmed: Callable[[], list[Any]],
) -> None:
    rot(0, 0)
    for _ in range(5):
        assert web.get(client, f"/tiles/{slide.id}/0/0/0").status_code == 500
    (incident,) = alarmed()
    assert incident["object"] == instance_key(slide.id, slide.levels[0].sop_uid)
    assert (incident["found_by"], incident["state"]) == ("read", "open")
    assert checks(url, slide) == 1


@pytest.mark.parametrize("suffix", ["dcm", "sha256"])
def test_an_object_that_is_gone_is_damage_and_no_deletion(
    web: Any,
    client: Any,
    store: Any,
    slide: Slide,
    alarmed: Callable[[], list[Any]],
    suffix: str,
) -> None:
    uid = slide.levels[0].sop_uid
    key = instance_key(slide.id, uid) if suffix == "dcm" else frame_hashes_key(slide.id, uid)
    del store.objects[key]
    assert web.get(client, f"/tiles/{slide.id}/0/0/0").status_code == 500
    (incident,) = alarmed()
    assert incident["slide_id"] == str(slide.id)
    assert web.get(client, f"/api/v1/slides/{slide.id}").json()["damaged"]


def test_another_slide_in_its_place_is_never_shown(
    web: Any,
    client: Any,
    store: Any,
    here: Any,
    publish: Callable[..., Slide],
    alarmed: Callable[[], list[Any]],
) -> None:
    """Instances with the hashes of their frames, swapped: every frame fits its hash."""
    one, other = publish(here, store), publish(here, store)
    for first, second in zip(one.levels, other.levels, strict=True):
        for key in (instance_key, frame_hashes_key):
            here_key, there_key = key(one.id, first.sop_uid), key(other.id, second.sop_uid)
            changed = store.objects[there_key]
            if key is frame_hashes_key:  # the same pixels: let them be others
                changed = bytes(32) + changed[32:]
            store.objects[here_key] = changed
    assert web.get(client, f"/tiles/{one.id}/0/0/0").status_code == 500
    assert alarmed()


def test_a_thousand_flips_under_reads_show_nothing_wrong(
    web: Any, client: Any, store: Any, slide: Slide, frame_of: Callable[[int, int], bytes]
) -> None:
    chance = random.Random(7)
    level = slide.levels[0]
    key = instance_key(slide.id, level.sop_uid)
    columns = -(-level.columns // level.tile_columns)
    sound = bytes(store.objects[key])
    frames = [frame_of(0, index) for index in range(level.frames)]
    refused = 0
    for turn in range(1000):
        index = chance.randrange(level.frames)
        changed = bytearray(sound)
        if turn % 10 == 0:  # in the very frame that is read, wherever the like of it stands
            frame = bytearray(frames[index])
            flip(frame, chance)
            changed = changed.replace(frames[index], frame)
        else:
            flip(changed, chance)
        store.objects[key] = bytes(changed)
        web.services.feed._start_again()  # whoever keeps tiles forgets them
        answer = web.get(client, f"/tiles/{slide.id}/0/{index % columns}/{index // columns}")
        if answer.status_code == 200:
            assert answer.content == frames[index]
        else:
            assert answer.status_code == 500
            refused += 1
    assert refused >= 100


def flip(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) * 8)
    data[at // 8] ^= 1 << at % 8


def checks(url: str, slide: Slide) -> int:
    """Jobs that wait to verify the slide."""
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select count(*) from procrastinate_jobs where task_name = 'sgi.check_slide'"
            " and status = 'todo' and args ->> 'slide_id' = %s",
            [str(slide.id)],
        ).fetchone()
    assert row
    return int(row[0])

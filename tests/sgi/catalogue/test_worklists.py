"""Worklists beside a plain reading of all cases: the same ones, in the same order, page by page."""

import random
import re
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from sgi.catalogue import worklist_search, worklists
from sgi.domain.account import Role
from sgi.domain.case import OPEN, CaseState, Priority
from sgi.domain.worklist import CaseFilter, Order, Worklist

NOW = datetime.now(UTC)
NAMES = ["Martin", "Lefèvre", "Le Goff", "Œhlert", "MÜLLER", "Martineau", "Łukasz", "D'Abo"]
ORGANS = ["Sein", "Côlon", "Prostate", "Peau", "Œsophage"]
STAINS = ["HES", "Ki-67", "PAS", "CD3"]
CASES = 400
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Made:
    """A case as the test knows it."""

    id: uuid.UUID
    number: str
    name: str
    born: str
    organ: str
    stain: str
    state: CaseState
    priority: Priority
    extemporane: bool
    account: uuid.UUID | None
    group: uuid.UUID | None
    received_at: datetime
    due_at: datetime
    rescans: int
    held: bool

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def urgency(self) -> int:
        return 0 if self.extemporane else {"S": 1, "A": 2, "R": 3}[self.priority]


@dataclass(frozen=True)
class House:
    establishment: Any
    me: uuid.UUID
    group: uuid.UUID
    cases: list[Made]


@pytest.fixture(scope="module")
def house(run: Any, database: Any, make_establishment: Callable[[], Any]) -> House:
    establishment = make_establishment()
    chance = random.Random(5)

    async def fill() -> House:
        async with database.transaction(establishment.id) as connection:
            accounts = {}
            for role in (Role.PATHOLOGIST, Role.ADMINISTRATOR):
                cursor = await connection.execute(
                    "select id from account where name = %s", [establishment.accounts[role]]
                )
                accounts[role] = (await cursor.fetchone())["id"]
            me = accounts[Role.PATHOLOGIST]
            cursor = await connection.execute(
                """insert into pathologist_group (establishment_id, name) values (%s, 'Sein')
                   returning id""",
                [establishment.id],
            )
            group = (await cursor.fetchone())["id"]
            await connection.execute(
                "insert into group_member values (%s, %s, %s)", [group, me, establishment.id]
            )
            made = [draw(chance, index, list(accounts.values()), group) for index in range(CASES)]
            for case in made:
                await insert(connection, establishment.id, case)
        return House(establishment, me, group, made)

    return run(fill())  # type: ignore[no-any-return]


def draw(chance: random.Random, index: int, accounts: list[Any], group: uuid.UUID) -> Made:
    received = NOW - timedelta(hours=chance.randint(0, 24 * 700))
    return Made(
        id=uuid.uuid4(),
        number=f"26P{index:05}" if index % 3 else f"B23-{index:05}-A",
        name=chance.choice(NAMES),
        born=f"19{chance.randint(20, 99)}0{chance.randint(1, 9)}1{chance.randint(0, 9)}",
        organ=chance.choice(ORGANS),
        stain=chance.choice(STAINS),
        state=chance.choice([*CaseState, CaseState.SIGNED_OUT, CaseState.SIGNED_OUT]),
        priority=chance.choice(list(Priority)),
        extemporane=chance.random() < 0.1,
        account=chance.choice([None, *accounts]),
        group=chance.choice([None, None, group]),
        received_at=received,
        due_at=received + timedelta(hours=chance.choice([1, 48, 48, 20_000])),
        rescans=chance.choice([0, 0, 0, 1]),
        held=chance.random() < 0.1,
    )


async def insert(connection: Any, establishment_id: uuid.UUID, case: Made) -> None:
    patient = uuid.uuid4()
    await connection.execute(
        """insert into patient (id, establishment_id, birth_name, birth_date)
           values (%s, %s, %s, %s)""",
        [patient, establishment_id, case.name, case.born],
    )
    await connection.execute(
        """insert into lab_case (id, establishment_id, accession_number, patient_id, state,
               priority, extemporane, study_uid, account_id, group_id, received_at, due_at,
               held_at, rescans, organs, stains, service, said_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())""",
        [
            case.id,
            establishment_id,
            case.number,
            patient,
            case.state,
            case.priority,
            case.extemporane,
            str(case.id),
            case.account,
            case.group,
            case.received_at,
            case.due_at,
            NOW if case.held else None,
            case.rescans,
            [case.organ],
            [case.stain],
            Jsonb({"code": "ACP-" + case.organ[:1], "text": None, "system": None}),
        ],
    )


LISTS: dict[Worklist, Callable[[House, Made], bool]] = {
    Worklist.MINE: lambda house, case: case.is_open and case.account == house.me,
    Worklist.GROUP: lambda house, case: (
        case.is_open and case.group == house.group and case.account is None
    ),
    Worklist.UNASSIGNED: lambda _, case: (
        case.is_open and case.account is None and case.group is None
    ),
    Worklist.EXTEMPORANE: lambda _, case: case.is_open and case.extemporane,
    Worklist.READY: lambda _, case: case.state is CaseState.READY,
    Worklist.LATE: lambda _, case: case.is_open and case.due_at < NOW,
    Worklist.TO_RESCAN: lambda _, case: case.is_open and case.rescans > 0,
    Worklist.ON_HOLD: lambda _, case: case.is_open and case.held,
    Worklist.OPEN: lambda _, case: case.is_open,
    Worklist.ALL: lambda *_: True,
}
ORDERS: dict[Order, Callable[[Made], Any]] = {
    Order.PRIORITY: lambda case: (case.urgency, case.due_at, case.id),
    Order.DUE: lambda case: (case.due_at, case.id),
    Order.RECEIVED: lambda case: (case.received_at, case.id),
}


def expected(
    house: House, worklist: Worklist, order: Order, fits: Callable[[Made], bool]
) -> list[uuid.UUID]:
    key = ORDERS[Order.RECEIVED if worklist is Worklist.ALL else order]
    found = [case for case in house.cases if LISTS[worklist](house, case) and fits(case)]
    return [case.id for case in sorted(found, key=key, reverse=worklist is Worklist.ALL)]


def listed(
    run: Any,
    database: Any,
    house: House,
    worklist: Worklist,
    order: Order,
    narrowed: CaseFilter,
    limit: int = 23,
) -> list[uuid.UUID]:
    """All pages one after the other."""

    async def read() -> list[uuid.UUID]:
        found: list[uuid.UUID] = []
        after = None
        async with database.transaction(house.establishment.id) as connection:
            while True:
                lines = await worklists.page(
                    connection,
                    worklist,
                    house.me,
                    narrowed,
                    order=order,
                    after=after,
                    limit=limit,
                )
                found += [line.case.id for line in lines]
                if len(lines) < limit:
                    return found
                after = worklists.position_of(lines[-1], worklist, order)

    return run(read())  # type: ignore[no-any-return]


WAYS: dict[str, dict[str, int]] = {
    "looked through": {},
    "looked through further": {"_LOOKED_THROUGH": 60},
    "by the index": {"_LOOKED_THROUGH": 7, "_LOOKED_FURTHER": 0, "_ENOUGH_MORE": 1},
    "by more words": {"_LOOKED_THROUGH": 7, "_LOOKED_FURTHER": 0, "_FEW": 2, "_FEW_OF_ALL": 0},
    "much of a month": {
        "_LOOKED_THROUGH": 7,
        "_LOOKED_FURTHER": 0,
        "_FEW": 1,
        "_FEW_OF_ALL": 0,
        "_MUCH": 2,
    },
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every way of finding words."""
    for name, value in WAYS[request.param].items():
        monkeypatch.setattr(worklist_search, name, value)
    return str(request.param)


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("worklist", list(Worklist))
def test_every_list_in_every_order(
    run: Any, database: Any, house: House, worklist: Worklist, order: Order
) -> None:
    found = listed(run, database, house, worklist, order, CaseFilter())
    assert found == expected(house, worklist, order, lambda _: True)
    assert found, "the list has something to show"


WORDS: dict[str, Callable[[Made], bool]] = {
    "martin": lambda case: case.name.startswith("Martin"),
    "MARTINEAU": lambda case: case.name == "Martineau",
    "lefevre": lambda case: case.name == "Lefèvre",
    "muller": lambda case: case.name == "MÜLLER",
    "oehl": lambda case: case.name == "Œhlert",
    "lukasz": lambda case: case.name == "Łukasz",
    "abo": lambda case: case.name == "D'Abo",
    "goff le": lambda case: case.name == "Le Goff",
    "colon ki-67": lambda case: case.organ == "Côlon" and case.stain == "Ki-67",
    "sein mart": lambda case: case.organ == "Sein" and case.name.startswith("Mart"),
    "sein mart pas": lambda case: (
        case.organ == "Sein" and case.name.startswith("Mart") and case.stain == "PAS"
    ),
    "26P0000": lambda case: case.number.startswith("26P0000"),
    "b23 00": lambda case: case.number.startswith("B23-00"),
    "B2300": lambda case: case.number.startswith("B23-00"),
    "nobody": lambda _: False,
    "- ,": lambda _: False,
}


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("worklist", [Worklist.ALL, Worklist.OPEN, Worklist.MINE])
def test_words_find_what_they_say(
    run: Any, database: Any, house: House, worklist: Worklist, text: str, way: str
) -> None:
    found = listed(run, database, house, worklist, Order.PRIORITY, CaseFilter(text=text))
    assert found == expected(house, worklist, Order.PRIORITY, WORDS[text])


def test_a_date_of_birth_is_found_as_people_write_it(run: Any, database: Any, house: House) -> None:
    born = house.cases[0].born
    for text in (f"{born[6:]}/{born[4:6]}/{born[:4]}", f"{born[:4]}-{born[4:6]}-{born[6:]}"):
        found = listed(run, database, house, Worklist.ALL, Order.RECEIVED, CaseFilter(text=text))
        assert set(found) == {case.id for case in house.cases if case.born == born}


FILTERS: dict[str, tuple[CaseFilter, Callable[[Made], bool]]] = {
    "state": (
        CaseFilter(states=(CaseState.READY, CaseState.READING)),
        lambda case: case.state in (CaseState.READY, CaseState.READING),
    ),
    "closed": (
        CaseFilter(states=(CaseState.SIGNED_OUT,)),
        lambda case: case.state is CaseState.SIGNED_OUT,
    ),
    "priority": (
        CaseFilter(priority=Priority.STAT),
        lambda case: case.priority is Priority.STAT,
    ),
    "routine": (
        CaseFilter(priority=Priority.ROUTINE),
        lambda case: case.priority is Priority.ROUTINE,
    ),
    "cancelled": (
        CaseFilter(states=(CaseState.CANCELLED,)),
        lambda case: case.state is CaseState.CANCELLED,
    ),
    "extemporane": (CaseFilter(extemporane=True), lambda case: case.extemporane),
    "not extemporane": (CaseFilter(extemporane=False), lambda case: not case.extemporane),
    "organ": (CaseFilter(organ="cOLON"), lambda case: case.organ == "Côlon"),
    "service": (CaseFilter(service="ACP-S"), lambda case: case.organ == "Sein"),
    "received": (
        CaseFilter(received_from=NOW - timedelta(days=300), received_before=NOW),
        lambda case: NOW - timedelta(days=300) <= case.received_at < NOW,
    ),
    "due": (CaseFilter(due_before=NOW), lambda case: case.due_at < NOW),
}


@pytest.mark.parametrize("text", [None, "martin"])
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("worklist", [Worklist.ALL, Worklist.OPEN, Worklist.UNASSIGNED])
def test_a_list_is_narrowed(
    run: Any,
    database: Any,
    house: House,
    worklist: Worklist,
    name: str,
    text: str | None,
    way: str,
) -> None:
    narrowed, fits = FILTERS[name]
    found = listed(run, database, house, worklist, Order.DUE, replace(narrowed, text=text), limit=5)
    assert found == expected(
        house,
        worklist,
        Order.DUE,
        lambda case: fits(case) and (text is None or case.name.startswith("Martin")),
    )


@pytest.mark.parametrize("text", [None, "martin sein"])
def test_a_list_is_narrowed_to_an_account_and_a_group(
    run: Any, database: Any, house: House, text: str | None, way: str
) -> None:
    for narrowed, fits in (
        (CaseFilter(account_id=house.me), lambda case: case.account == house.me),
        (CaseFilter(group_id=house.group), lambda case: case.group == house.group),
        (CaseFilter(account_id=uuid.uuid4()), lambda _: False),
    ):
        for worklist in (Worklist.ALL, Worklist.OPEN):
            found = listed(
                run, database, house, worklist, Order.DUE, replace(narrowed, text=text), limit=5
            )
            assert found == expected(
                house,
                worklist,
                Order.DUE,
                lambda case, fits=fits: (  # type: ignore[misc]
                    fits(case) and (text is None or WORDS["sein mart"](case))
                ),
            )


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_search_is_a_plain_reading(
    run: Any, database: Any, house: House, data: st.DataObject
) -> None:
    """Of words and beginnings of words, with any of the filters, in every way."""
    case = data.draw(st.sampled_from(house.cases))
    told = [words_of(case), words_of(data.draw(st.sampled_from(house.cases)))]
    words = data.draw(st.lists(st.sampled_from(told[0] + told[1][:1]), min_size=1, max_size=4))
    words = [word[: data.draw(st.integers(1, len(word)))] for word in words]
    names = data.draw(st.lists(st.sampled_from(sorted(FILTERS)), max_size=2, unique=True))
    narrowed = CaseFilter(text=" ".join(words))
    for name in names:
        narrowed = replace(
            narrowed,
            **{
                field: value
                for field, value in asdict(FILTERS[name][0]).items()
                if value not in (None, ())
            },
        )
    # Of two filters of one field, the last.
    kept = [
        name
        for name in names
        if all(
            getattr(narrowed, field) == value
            for field, value in asdict(FILTERS[name][0]).items()
            if value not in (None, ())
        )
    ]
    worklist = data.draw(st.sampled_from([Worklist.ALL, Worklist.OPEN, Worklist.MINE]))
    way = data.draw(st.sampled_from(sorted(WAYS)))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in WAYS[way].items():
            patch.setattr(worklist_search, name, value)
        found = listed(
            run, database, house, worklist, Order.DUE, narrowed, limit=data.draw(st.integers(1, 30))
        )
    assert found == expected(
        house,
        worklist,
        Order.DUE,
        lambda case: (
            all(any(own.startswith(word) for own in words_of(case)) for word in words)
            and all(FILTERS[name][1](case) for name in kept)
        ),
    )


def words_of(case: Made) -> list[str]:
    """What a case is found by, as a plain reading has it."""
    plain = {"Lefèvre": "lefevre", "Œhlert": "oehlert", "MÜLLER": "muller", "Łukasz": "lukasz"}
    plain |= {"Côlon": "colon", "Œsophage": "oesophage"}
    texts = [plain.get(text, text) for text in (case.name, case.number, case.organ, case.stain)]
    words = [word for text in texts for word in re.split("[^a-z0-9]+", text.lower())]
    service = "acp-" + case.organ[:1].lower().replace("œ", "oe")
    return [*words, case.number.lower().replace("-", ""), case.born, *service.split("-")]


def test_the_lists_are_counted(run: Any, database: Any, house: House) -> None:
    async def count() -> Any:
        async with database.transaction(house.establishment.id) as connection:
            return await worklists.counts(connection, house.me)

    assert run(count()) == {
        worklist: len(expected(house, worklist, Order.DUE, lambda _: True)) for worklist in Worklist
    }


def test_a_change_of_name_and_a_merge_are_found_at_once(
    run: Any, database: Any, make_establishment: Callable[[], Any]
) -> None:
    establishment = make_establishment()
    case = replace(
        draw(random.Random(1), 1, [], uuid.uuid4()), account=None, group=None, name="Before"
    )

    async def found(connection: Any, text: str) -> int:
        lines = await worklists.page(
            connection, Worklist.ALL, uuid.uuid4(), CaseFilter(text=text), limit=9
        )
        return len(lines)

    async def play() -> Any:
        async with database.transaction(establishment.id) as connection:
            await insert(connection, establishment.id, case)
            told = [await found(connection, "before")]
            await connection.execute("update patient set birth_name = 'After'")
            told += [await found(connection, "before"), await found(connection, "after")]
            survivor = uuid.uuid4()
            await connection.execute(
                """insert into patient (id, establishment_id, birth_name)
                   values (%s, %s, 'Survivor')""",
                [survivor, establishment.id],
            )
            await connection.execute(
                "update patient set merged_into = %s where id <> %s", [survivor, survivor]
            )
            await connection.execute(
                """insert into patient_identifier
                       (establishment_id, patient_id, kind, assigner, value)
                   values (%s, %s, 'PI', 'CHU', '000 42')""",
                [establishment.id, survivor],
            )
            told += [await found(connection, text) for text in ("survivor", "00042")]
            lines = await worklists.page(
                connection, Worklist.ALL, uuid.uuid4(), CaseFilter(), limit=9
            )
            return told, lines[0]

    told, line = run(play())
    assert told == [1, 0, 1, 1, 1]
    assert line.patient.birth_name == "Survivor"
    assert line.patient.local_identifier == "000 42"


def test_what_a_case_is_narrowed_by_is_found_as_it_is_now(
    run: Any, database: Any, make_establishment: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index alone: given to another, made urgent, cancelled, and all of it taken back."""
    for name, value in WAYS["by the index"].items():
        monkeypatch.setattr(worklist_search, name, value)
    monkeypatch.setattr(worklist_search, "_LOOKED_THROUGH", 1)
    establishment = make_establishment()
    case = replace(
        draw(random.Random(1), 1, [], uuid.uuid4()),
        state=CaseState.SIGNED_OUT,
        priority=Priority.ROUTINE,
        extemporane=False,
        account=None,
        group=None,
        name="Martin",
    )
    others = [
        replace(case, id=uuid.uuid4(), number=f"x{n}", received_at=case.received_at - n * HOUR)
        for n in (-1, 1)
    ]

    async def play() -> list[list[bool]]:
        async with database.transaction(establishment.id) as connection:
            for each in (case, *others):
                await insert(connection, establishment.id, each)
            cursor = await connection.execute(
                "select id from account where name = %s", [establishment.accounts[Role.PATHOLOGIST]]
            )
            account = (await cursor.fetchone())["id"]
            cursor = await connection.execute(
                """insert into pathologist_group (establishment_id, name) values (%s, 'Sein')
                   returning id""",
                [establishment.id],
            )
            group = (await cursor.fetchone())["id"]
            changes: list[tuple[str, object, object, CaseFilter]] = [
                ("account_id", account, None, CaseFilter(account_id=account)),
                ("group_id", group, None, CaseFilter(group_id=group)),
                ("priority", "S", "R", CaseFilter(priority=Priority.STAT)),
                ("extemporane", True, False, CaseFilter(extemporane=True)),
                ("state", "cancelled", "signed_out", CaseFilter(states=(CaseState.CANCELLED,))),
            ]
            told = []
            for column, value, back, narrowed in changes:
                is_found = []
                for said in (value, back):
                    await connection.execute(
                        f"update lab_case set {column} = %s where id = %s",
                        [said, case.id],
                    )
                    lines = await worklists.page(
                        connection,
                        Worklist.ALL,
                        uuid.uuid4(),
                        replace(narrowed, text="martin"),
                        limit=9,
                    )
                    is_found.append([line.case.id for line in lines] == [case.id])
                told.append(is_found)
            return told

    assert run(play()) == [[True, False]] * 5


def test_a_patients_new_name_is_found_in_all_their_cases(
    run: Any, database: Any, make_establishment: Callable[[], Any]
) -> None:
    establishment = make_establishment()
    drawn = draw(random.Random(2), 1, [], uuid.uuid4())
    made = [
        replace(drawn, id=uuid.uuid4(), number=f"n{n}", account=None, group=None, name="Before")
        for n in range(5)
    ]

    async def play() -> tuple[set[uuid.UUID], set[uuid.UUID]]:
        async with database.transaction(establishment.id) as connection:
            for each in made:
                await insert(connection, establishment.id, each)
            cursor = await connection.execute(
                "select patient_id from lab_case where id = %s", [made[0].id]
            )
            patient = (await cursor.fetchone())["patient_id"]
            await connection.execute(
                "update lab_case set patient_id = %s where id = any(%s)",
                [patient, [each.id for each in made[:3]]],
            )
            await connection.execute(
                "update patient set birth_name = 'After' where id = %s", [patient]
            )
            found = []
            for text in ("after", "before"):
                lines = await worklists.page(
                    connection, Worklist.ALL, uuid.uuid4(), CaseFilter(text=text), limit=9
                )
                found.append({line.case.id for line in lines})
            return found[0], found[1]

    after, before = run(play())
    assert after == {each.id for each in made[:3]}
    assert before == {each.id for each in made[3:]}


def test_words_find_nothing_of_other_establishments(
    run: Any, database: Any, house: House, make_establishment: Callable[[], Any], way: str
) -> None:
    other = House(make_establishment(), house.me, house.group, [])
    for worklist in (Worklist.ALL, Worklist.OPEN):
        found = listed(run, database, other, worklist, Order.RECEIVED, CaseFilter(text="martin"))
        assert found == []


def test_row_level_security_leaves_the_indexes_their_use(
    run: Any, database: Any, house: House
) -> None:
    """With the sequential scan made dear, the plan as the application's role uses them."""

    async def plan(question: str) -> str:
        async with database.transaction(house.establishment.id) as connection:
            await connection.execute("set local enable_seqscan = off")
            await connection.execute("set local enable_sort = off")
            cursor = await connection.execute("explain " + question)
            return "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())

    told = run(
        plan("select id from lab_case c where c.open order by c.urgency, c.due_at, c.id limit 9")
    )
    assert "lab_case_open_urgency" in told
    assert "Sort" not in told
    told = run(
        plan(
            """select id from lab_case c where c.open and c.account_id = gen_random_uuid()
                 and (c.urgency, c.due_at, c.id) > (1, now(), gen_random_uuid())
               order by c.urgency, c.due_at, c.id limit 9"""
        )
    )
    assert "Index Cond" in told


def test_a_search_ends_whenever_cases_were(
    run: Any, database: Any, make_establishment: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index alone, of cases at either end of time and in between."""
    monkeypatch.setattr(worklist_search, "_LOOKED_THROUGH", 1)
    monkeypatch.setattr(worklist_search, "_LOOKED_FURTHER", 0)
    chance = random.Random(7)
    establishment = make_establishment()
    days = ["0001-01-01", "1900-01-01", "1969-12-31", "1970-01-01", "2026-06-12", "2400-01-01"]
    days += ["9999-12-01", "2026-05-01", "2312-01-01"]
    made = [
        replace(
            draw(chance, index, [], uuid.uuid4()),
            name="MARTIN" if day != "2026-05-01" else "AUTRE",
            state=CaseState.SIGNED_OUT,
            account=None,
            group=None,
            received_at=datetime.fromisoformat(day).replace(tzinfo=UTC),
        )
        for index, day in enumerate(days)
    ]

    async def fill() -> None:
        async with database.transaction(establishment.id) as connection:
            for case in made:
                await insert(connection, establishment.id, case)

    run(fill())
    house = House(establishment, uuid.uuid4(), uuid.uuid4(), made)
    asked = CaseFilter(text="martin")
    found = listed(run, database, house, Worklist.ALL, Order.RECEIVED, asked)
    expected_ = sorted(
        (one for one in made if one.name == "MARTIN"), key=lambda one: one.received_at
    )
    assert found == [one.id for one in reversed(expected_)]

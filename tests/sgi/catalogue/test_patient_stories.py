"""Patients in a real database: thousands of stories, in any order, against a reference."""

import asyncio
import os
import random
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sgi.catalogue import patients
from sgi.catalogue.database import Connection, Database
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    Identity,
    IdentityStatus,
    Patient,
    Traits,
)
from sgi.errors import IdentityConflictError
from tests.sgi.catalogue import reference_patients as reference

SEQUENCES = int(os.environ.get("SGI_IDENTITY_SEQUENCES", "300"))
NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
INS = Identifier("279035121518989", "1.2.250.1.213.1.4.10", IdentifierKind.INS)


@dataclass(frozen=True)
class Told:
    """One message of a story."""

    verb: str
    who: Identity
    other: tuple[Identifier, ...]
    """What goes, or with whom somebody is linked."""
    at: int


def story(seed: int) -> list[Told]:
    """Messages on a handful of numbers: out of order, some twice, some of the same moment."""
    chance = random.Random(seed)
    numbers = [Identifier(str(n), f"S{seed}") for n in range(chance.randint(2, 6))]
    others = [Identifier(str(n), f"S{seed}b") for n in range(3)] if chance.random() < 0.6 else []
    others += [Identifier("0", f"S{seed}c")] if chance.random() < 0.2 else []
    verbs = chance.choices(
        ["said", "order", "merge", "change", "link", "unlink"],
        weights=[chance.uniform(0.2, 3) for _ in range(6)],
        k=chance.randint(3, 14),
    )
    moments = 6 if chance.random() < 0.4 else 1000
    told = []
    for verb in verbs:
        one, other = chance.sample(numbers, 2)
        also, with_it = others, others
        if verb not in {"said", "order"}:
            also = [*others, numbers[0]]
        if others and chance.random() < 0.2:  # of two assigners, perhaps of one record
            one, other = chance.sample([chance.choice(others), chance.choice(numbers[:2])], 2)
            also, with_it = others if verb == "said" else [], []
        who = identity(chance, one, also)
        gone = some(chance, other, with_it)
        told.append(Told(verb, who, gone, chance.randrange(moments)))
    if chance.random() < 0.6:
        told.sort(key=lambda message: message.at)
    told += chance.choices(told, k=chance.randint(0, 3))
    if chance.random() < 0.3:
        chance.shuffle(told)
    return told


def some(
    chance: random.Random, one: Identifier, others: list[Identifier]
) -> tuple[Identifier, ...]:
    """One number and perhaps others, in any order."""
    found = [one, *(other for other in others if other != one and chance.random() < 0.3)]
    chance.shuffle(found)
    return tuple(found)


def identity(chance: random.Random, one: Identifier, others: list[Identifier]) -> Identity:
    traits = Traits()
    if chance.random() < 0.8:
        traits = Traits(
            birth_name=chance.choice([None, "DUPONT", "DURAND"]),
            used_name=chance.choice([None, "MARTIN"]),
            sex=chance.choice([None, "F", "M"]),
            birth_date=chance.choice([None, date(1979, 3, 28), date(1980, 1, 1)]),
            died=chance.choice([None, None, True]),
        )
    status = chance.choice([None, None, IdentityStatus.PROVISIONAL, IdentityStatus.QUALIFIED])
    proved = [INS] if status is IdentityStatus.QUALIFIED else []
    return Identity((*some(chance, one, others), *proved), traits, status)


def tell(world: Any, message: Told) -> None:
    """To the reference."""
    match message.verb:
        case "said" | "order":
            world.record(message.who, message.at, message.verb == "order")
        case "merge" | "change":
            world.lead(message.verb, message.who, message.other, message.at)
        case _:
            named = reference.ipps(message.who)
            world.link(named, message.other, message.verb == "link", message.at)


def is_refused(world: Any, message: Told) -> bool:
    """By the reference."""
    who, other = message.who, message.other
    match message.verb:
        case "merge":
            return bool(world.is_nobody(who, other))
        case "change":
            return bool(world.is_nobody(who, other) or world.are_two(who, other, message.at))
        case "link" | "unlink":
            return bool(world.is_one(reference.ipps(who), other))
    return False


async def hear(connection: Connection, establishment_id: Any, message: Told, number: int) -> None:
    who, other = message.who, message.other
    when = {"said_at": NOON + timedelta(minutes=message.at), "source": f"m{number}"}
    match message.verb:
        case "said" | "order":
            fill = message.verb == "order"
            await patients.record(connection, establishment_id, who, only_fill=fill, **when)
        case "merge":
            await patients.merge(connection, establishment_id, who, *other, **when)
        case "change":
            await patients.change_identifier(connection, establishment_id, who, *other, **when)
        case _:
            linked = message.verb == "link"
            named = reference.ipps(who)
            await patients.link(connection, establishment_id, named, other, linked=linked, **when)


async def heard(connection: Connection, establishment_id: Any, told: list[Told]) -> Any:
    """The reference, told of the same; what the catalogue refuses it must refuse as well."""
    world = reference.Reference()
    for number, message in enumerate(told):
        refused = is_refused(world, message)
        is_newest = all(message.at > one.at for one in told[:number])
        known = {used for _, used, _, _ in world.said}
        before = await living_of(connection, known)
        try:
            # What was begun before a refusal is taken back, as a message is.
            async with connection.transaction(force_rollback=True) if refused else nullcontext():
                await hear(connection, establishment_id, message, number)
        except IdentityConflictError:
            assert refused, message
        else:
            assert not refused, message
            tell(world, message)
            if is_newest:
                await assert_so(connection, message)
            if is_newest and message.verb != "merge":
                after = await living_of(connection, known)
                assert len(set(after.values())) >= len(set(before.values())), message
    return world


async def living_of(
    connection: Connection, identifiers: Collection[Identifier]
) -> dict[Identifier, Any]:
    return {each: await patients.named(connection, each) for each in identifiers}


async def assert_so(connection: Connection, message: Told) -> None:
    """What nobody has said anything else of since is as it was said; without the reference."""
    if message.verb in {"merge", "change"}:
        going, staying = reference.sides(message.who, message.other)
        living = await living_of(connection, [*going, *staying])
        assert len({living[each] for each in going}) == 1, message
        own = [i for i in staying if i.assigner in {each.assigner for each in going}]
        assert living[going[0]] in {living[each] for each in own or staying}, message
        patient = await patients.by_id(connection, living[going[0]])
        assert patient
        assert set(going) <= set(patient.retired), message


async def people_of(connection: Connection, world: Any) -> set[Any]:
    """The catalogue's patients as the reference sees them."""
    numbers = sorted(
        (identifier for record in world.records for identifier in record),
        key=lambda identifier: (identifier.assigner, identifier.value),
    )
    living = {number: await patients.named(connection, number) for number in numbers}
    found = {
        patient_id: patient
        for patient_id in set(living.values())
        if patient_id and (patient := await patients.by_id(connection, patient_id))
    }
    every = {i: whole(patient) for i, patient in found.items()}
    return {
        reference.Person(
            borne=frozenset(i for i in patient.identifiers if i.kind is IdentifierKind.LOCAL),
            retired=frozenset(patient.retired),
            traits=tuple(
                sorted((name, getattr(patient.traits, name)) for name in Traits.__slots__)
            ),
            status=patient.status,
            attributes=patient.attributes,
            ins=patient.ins,
            linked=frozenset(every[other] for other in patient.linked),
        )
        for patient in found.values()
    }


def whole(patient: Patient) -> frozenset[Identifier]:
    local = (i for i in patient.identifiers if i.kind is IdentifierKind.LOCAL)
    return frozenset({*local, *patient.retired})


@pytest.mark.parametrize("first", range(0, SEQUENCES, 100))
def test_generated_stories_end_as_the_reference_says(
    run: Any, database: Database, here: Any, first: int
) -> None:
    async def follow(seeds: range) -> None:
        async with database.transaction(here.id) as connection:
            for seed in seeds:
                world = await heard(connection, here.id, story(seed))
                assert await people_of(connection, world) == world.people(), f"story {seed}"

    async def together() -> None:
        """On several connections: the database works on one while another is being judged."""
        await asyncio.gather(*(follow(range(first + part, first + 100, 4)) for part in range(4)))

    run(together())


@pytest.mark.parametrize("block", range(4))
def test_the_order_of_messages_makes_no_difference(block: int) -> None:
    """Of the reference, which the catalogue equals: times decide, where they differ."""
    for seed in range(block * 150, block * 150 + 150):
        chance = random.Random(-seed)
        told = [
            replace(message, at=number, who=only_local(message.who), other=message.other[:1])
            for number, message in enumerate(story(seed))
        ]
        told = [message for message in told if message.who.local != message.other[0]]
        in_order, shuffled = reference.Reference(), reference.Reference()
        for message in told:
            tell(in_order, message)
        for message in chance.sample(told, len(told)):
            tell(shuffled, message)
        assert in_order.people() == shuffled.people(), f"story {seed}"


def only_local(who: Identity) -> Identity:
    """One number each: who gets a second number is decided by who is first."""
    local = who.local
    assert local
    return replace(who, identifiers=(local, *(i for i in who.identifiers if i == INS)))

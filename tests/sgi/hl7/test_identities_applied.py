"""The administration's samples applied: whatever order they come in, one patient comes of them."""

import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sgi.catalogue import patients
from sgi.catalogue.database import Database
from sgi.domain.patient import Identifier, IdentityStatus, Patient, matricule_shown
from sgi.hl7 import apply
from sgi.hl7.interfaces import parse_interface
from sgi.hl7.mapping import read_message, statements_of

SGL = parse_interface({"events": {"processing": ["P", "T"]}}, "tests.toml", "tests")
KEPT, MERGED, CHANGED = (Identifier(f"00000{n}", "CHU-X") for n in (3, 9, 8))


def test_the_samples_in_any_order_and_doubled(
    run: Any, database: Database, make_establishment: Any, interop: Path
) -> None:
    raws = [path.read_bytes() for path in sorted((interop / "synthetic").glob("P0*.hl7"))]
    assert len(raws) == 7

    async def tell(order: list[bytes], establishment_id: Any) -> list[Patient | None]:
        async with database.transaction(establishment_id) as connection:
            for raw in order:
                reading = statements_of(read_message(raw, SGL), SGL, datetime.now(UTC))
                said_at = reading.source.said_at
                await apply.apply(connection, establishment_id, reading, raw, said_at)
            found = []
            for identifier in (KEPT, MERGED, CHANGED):
                patient_id = await patients.named(connection, identifier)
                assert patient_id
                found.append(await patients.by_id(connection, patient_id))
            return found

    for seed in range(8):
        order = random.Random(seed).sample([*raws, *raws[:3]], 10)
        one, merged, changed = run(tell(order, make_establishment().id))
        assert one == merged == changed
        assert one.local == KEPT
        assert set(one.retired) == {MERGED, CHANGED}
        assert one.traits.birth_name == "PAT-TROIS"
        assert one.status is IdentityStatus.QUALIFIED
        assert matricule_shown(one)


def adt(event: str, day: str, more: str = "") -> bytes:
    return (
        f"MSH|^~\\&|GAM|CHU-X|SGI|CHU-X|{day}1000||ADT^{event}|{event}{day}|P|2.5|||||FRA|"
        f"UNICODE UTF-8\rEVN|{event}|{day}1000\r"
        f"PID|1||12^^^CHU-X&1.2.3&ISO^PI||ESSAI^ALIX^^^^^L||19790328|F{more}\r"
    ).encode()


def test_a_stay_is_kept_by_its_last_day_and_other_news_is_no_stay(
    run: Any, database: Database, make_establishment: Any
) -> None:
    died = "|" * 21 + "202403051200|Y"
    sent = [
        adt("A03", "20230705"),
        adt("A01", "20230701"),
        adt("A08", "20240101"),
        adt("A31", "20240306", died),
    ]

    async def tell(establishment_id: Any) -> Any:
        async with database.transaction(establishment_id) as connection:
            for raw in sent:
                reading = statements_of(read_message(raw, SGL), SGL, datetime.now(UTC))
                await apply.apply(
                    connection, establishment_id, reading, raw, reading.source.said_at
                )
            cursor = await connection.execute("select stay, died_on from patient_days")
            return await cursor.fetchall()

    (row,) = run(tell(make_establishment().id))
    assert (row["stay"], row["died_on"]) == (date(2023, 7, 5), date(2024, 3, 5))
